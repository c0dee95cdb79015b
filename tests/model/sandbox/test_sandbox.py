"""What a restricted process can still do, compared with one that is not restricted."""

import platform
import signal

import pytest

from model.sandbox import landlock, policies, seccomp
from model.sandbox.seccomp import Call, program
from model.sandbox.syscalls import ARCHITECTURES
from tests.model.sandbox.confined import run

pytestmark = pytest.mark.skipif(not seccomp.available(), reason="this kernel has no seccomp")
LOCK = "lock.drop_files(); lock.drop_system_calls(policies.decoder())\n"
TRY = """
try:
    {attempt}
except OSError as error:
    print("refused", errno.errorcode[error.errno])
else:
    print("done")
"""
ATTEMPTS = {
    "open a file": ("open('/etc/passwd').close()", "refused EPERM"),
    "look at a file": ("os.stat('/etc/passwd')", "refused EPERM"),
    "list a folder": ("os.listdir('/')", "refused EPERM"),
    "make a file": ("os.open('/tmp/x' + str(os.getpid()), os.O_CREAT | os.O_RDWR, 0o600)",
                    "refused EPERM"),
    "use the network": ("socket.socket()", None),
    "run a program": ("os.execv('/bin/true', ['true'])", None),
    "fork": ("os.fork() or os._exit(0)", None),
    "start a thread": ("threading.Thread(target=int).start()", None),
    "end its parent": ("os.kill(os.getppid(), 0)", None),
    "end its parent by another call": ("ctypes.CDLL(None).tgkill(*[os.getppid()] * 2, 0)", None),
    "trace a process": ("ctypes.CDLL(None).ptrace(0x4206, os.getppid(), 0, 0)", None),
    "make memory executable": ("mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)", None),
    "make a memory file": ("os.memfd_create('x')", None),
    "end its own lock": ("kernel.prctl(kernel.PR_SET_DUMPABLE, 1)", None),
}  # fmt: skip


@pytest.mark.parametrize(("attempt", "expected"), ATTEMPTS.values(), ids=list(ATTEMPTS))
def test_what_a_decoder_may_not(attempt: str, expected: str | None) -> None:
    """Files are refused, so that libraries continue without them; other calls end the process."""
    status, said = run(LOCK + TRY.format(attempt=attempt))
    if expected is None:
        assert (status, said) == (-signal.SIGSYS, "")
    else:
        assert (status, said) == (0, expected)


@pytest.mark.parametrize(
    "attempt", [attempt for attempt, _ in ATTEMPTS.values()], ids=list(ATTEMPTS)
)
def test_without_the_restrictions_it_may(attempt: str) -> None:
    """Control: no attempt ends the process or is refused."""
    status, said = run(TRY.format(attempt=attempt))
    assert status == 0
    assert "EPERM" not in said or attempt.startswith("ctypes")


def test_what_a_decoder_needs() -> None:
    """Memory, random bytes, abort and exit."""
    assert run(LOCK + "x = bytearray(8 << 20); print(sum(x[:9]), len(os.urandom(4)))") == (0, "0 4")
    assert run(LOCK + "os.abort()")[0] == -signal.SIGABRT


def test_the_filter_holds_for_running_threads() -> None:
    """An engine's threads start before its filter is installed."""
    code = """
go = threading.Event()
def work():
    go.wait()
    socket.socket()
thread = threading.Thread(target=work); thread.start()
lock.drop_files(); lock.drop_system_calls(policies.engine())
go.set(); thread.join(); print("alive")
"""
    assert run(code) == (-signal.SIGSYS, "")


MULTIPLY = """
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in an engine
import numpy as np
begun, go = threading.Barrier(5), threading.Event()
page = np.ones((300, 300), np.float32)
def work():
    begun.wait()
    go.wait()
    for _ in range(50):
        page @ page
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
begun.wait()
{change}
lock.drop_files(); lock.drop_system_calls(policies.engine())
go.set()
for thread in threads:
    thread.join()
print("alive")
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("", (0, "alive")),
        (
            "policies.REFUSED = [name for name in policies.REFUSED if name != 'mbind']",
            (-signal.SIGSYS, ""),
        ),
    ],
    ids=["mbind is refused", "mbind ends the process"],
)
def test_threads_multiply_matrices_at_once(change: str, expected: tuple[int, str]) -> None:
    """OpenBLAS calls mbind for each thread that is more than before, and ignores its failure."""
    assert run(MULTIPLY.format(change=change)) == expected


def test_a_thread_begins_under_the_filter() -> None:
    """A thread that exists but has not run when the filter is installed makes these calls first."""
    numbers = ARCHITECTURES[platform.machine()].numbers
    calls = [numbers[name] for name in ("set_robust_list", "rseq")]
    code = f"""
lock.drop_files(); lock.drop_system_calls(policies.engine())
print([ctypes.CDLL(None).syscall(number, 0, 0, 0, 0) for number in {calls}])
"""
    assert run(code) == (0, "[-1, -1]")


def test_filters_add_up() -> None:
    """A decoder has the zygote's filter and its own: what either forbids is forbidden."""
    code = "lock.drop_files(); lock.drop_system_calls(policies.ZYGOTE)\n" + LOCK
    assert run(code.replace("lock.drop_files(); lock.drop_system_calls(policies.decoder())",
                            "lock.drop_system_calls(policies.decoder())") + "os.fork()")[0] == (
        -signal.SIGSYS
    )  # fmt: skip


@pytest.mark.skipif(landlock.abi() < 1, reason="this kernel has no Landlock")
def test_landlock_alone_denies_files() -> None:
    """Without seccomp, too; descriptors that are open stay usable."""
    code = "file = open('/etc/passwd'); lock.drop_files(); print(len(file.read()) > 0)\n"
    status, said = run(code + TRY.format(attempt="open('/etc/passwd')"))
    assert (status, said.split("\n")) == (0, ["True", "refused EACCES"])


def test_a_restricted_process_has_no_core_dump_and_no_debugger() -> None:
    """By the limit, which a pipe in core_pattern ignores, and by not being dumpable."""
    code = "lock.disable_core_dumps()\n"
    asked = (
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[1])"
    )
    assert run(code + asked) == (0, "0 0")
    assert run(asked)[1].startswith("1 ")


def test_memory_is_limited() -> None:
    """More than the limit is a MemoryError."""
    code = """
lock.limit_memory(lock.address_space_bytes() + (64 << 20))
try:
    bytearray(128 << 20)
except MemoryError:
    print("too much")
"""
    assert run(code) == (0, "too much")


def test_several_threads_are_detected() -> None:
    """Landlock would restrict only one of them."""
    code = "threading.Thread(target=signal.pause, daemon=True).start()\nlock.assert_single_thread()"
    status, said = run(code)
    assert status == 1
    assert "SeveralThreads: 2 threads" in said
    assert run("lock.assert_single_thread()") == (0, "")


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_every_system_call_has_a_number(machine: str) -> None:
    """On one architecture at least: a misspelled call would be left out without an error."""
    names = {each.name for each in (*policies.ZYGOTE, *policies.decoder(), *policies.engine())}
    names |= set(policies.REFUSED)
    known = set().union(*(each.numbers for each in ARCHITECTURES.values()))
    assert names <= known
    numbers = ARCHITECTURES[machine].numbers
    assert len(set(numbers.values())) == len(numbers)


def evaluate(code: list[tuple[int, int, int, int]], arch: int, number: int, *arguments: int) -> int:
    """Run a filter like the kernel; return its action."""
    data = {0: number, 4: arch, **{16 + 8 * n: value for n, value in enumerate(arguments)}}
    accumulator, at = 0, 0
    while True:
        operation, yes, no, value = code[at]
        at += 1
        if operation == 0x06:
            return value
        if operation == 0x20:
            accumulator = data.get(value, 0)
        elif operation == 0x54:
            accumulator &= value
        else:
            holds = accumulator == value if operation == 0x15 else accumulator >= value
            at += yes if holds else no


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_filter_on_every_architecture(name: str) -> None:
    """Allowed, allowed by argument, refused, killed; another architecture is always killed."""
    machine = ARCHITECTURES[name]
    numbers = machine.numbers
    allowed = [
        Call("read"),
        Call("fcntl", argument=1, value=1030),
        Call("mmap", argument=2, mask=4),
    ]
    code = program(machine, allowed, ["fcntl", "openat", "open"])

    def action(call: str, *arguments: int) -> int:
        return evaluate(code, machine.audit_arch, numbers[call], *arguments)

    kill, refuse, allow = 0x80000000, 0x00050001, 0x7FFF0000
    assert action("read") == allow
    assert action("fcntl", 9, 1030) == allow
    assert action("fcntl", 9, 4) == refuse
    assert action("mmap", 0, 0, 3) == allow
    assert action("mmap", 0, 0, 7) == kill
    assert action("openat") == refuse
    assert action("close") == kill
    assert evaluate(code, 0x40000003, numbers["read"]) == kill
    if machine.x32_bit:
        assert evaluate(code, machine.audit_arch, machine.x32_bit | numbers["read"]) == kill


def test_the_numbers_of_this_architecture() -> None:
    """Calls with a known result return it."""
    code = """
import platform
from model.sandbox.syscalls import ARCHITECTURES
numbers = ARCHITECTURES[platform.machine()].numbers
print(kernel.syscall(numbers["getpid"]) == os.getpid())
print(kernel.syscall(numbers["getppid"]) == os.getppid())
"""
    assert platform.machine() in ARCHITECTURES
    assert run(code) == (0, "True\nTrue")
