"""What receipts, invoices and forms say, and other lists that texts for lines are made of.

It needs no package, so that lines can be rendered on a machine that has only the training's folder.
"""

UNITS = (
    "G", "KG", "ML", "L", "PCS", "PC", "CM", "MM", "'S", "OZ", "LB", "PK", "X", "M", "S", "XL",
    "kg", "g", "ml", "pcs", "pk", "GB", "W", "V", "mm",
)  # fmt: skip
CURRENCIES = (
    "$", "RM", "RM ", "EUR ", "€", "£", "USD ", "¥", "￥", "HK$", "NT$", "Rs.", "S$", "CHF ",
)  # fmt: skip
# Ends of company names.
FIRMS = (
    "SDN BHD", "SDN. BHD.", "LTD", "PTE LTD", "ENTERPRISE", "TRADING", "INC", "CO.", "LLC",
    "STORE", "RESTAURANT", "(M) SDN BHD", "BOOKSTORE", "HARDWARE", "MARKET", "CAFE", "MART",
    "& CO", "GMBH", "PLC", "CORP.", "BAKERY", "PHARMACY", "& SONS", "S/B", "CO., LTD.",
)  # fmt: skip
# Lines and labels of receipts and invoices.
PHRASES = (
    "THANK YOU, PLEASE COME AGAIN", "Thank you for your purchase",
    "GOODS SOLD ARE NOT RETURNABLE", "TAX INVOICE", "SIMPLIFIED TAX INVOICE", "CASH BILL",
    "PLEASE KEEP RECEIPT AS PROOF OF PURCHASE", "ALL AMOUNTS INCLUDE TAX",
    "NO REFUND WITHOUT RECEIPT", "Have a nice day", "ITEM QTY PRICE AMOUNT",
    "TOTAL SALES (EXCLUDING GST)", "TOTAL SALES (INCLUSIVE OF GST)", "ROUNDING ADJUSTMENT",
    "GST SUMMARY", "TAX CODE", "CASHIER NAME", "MEMBER CARD", "POINTS EARNED", "SERVED BY",
    "TABLE NO.", "DESCRIPTION", "CREDIT CARD", "CHANGE DUE", "AMOUNT TENDERED", "SUB TOTAL",
    "TOTAL QTY", "PAYMENT BY", "VISA CARD", "DEBIT", "APPROVAL CODE", "TERMINAL ID",
    "MERCHANT COPY", "CUSTOMER COPY", "SIGNATURE NOT REQUIRED", "TOTAL INCLUDES", "ITEMS SOLD",
    "OPENING HOURS", "SHIPPED TO", "BILL TO", "PURCHASE ORDER", "DUE DATE", "TERMS",
    "BANK ACCOUNT", "DELIVERY NOTE", "SHIPPING", "HANDLING", "PAYMENT DUE WITHIN 30 DAYS",
    "Balance brought forward", "Opening balance", "Statement of account", "TOTAL", "SUBTOTAL",
    "CASH", "CHANGE", "TAX", "GST", "VAT", "QTY", "AMOUNT", "Amount Due", "INVOICE NO",
    "Invoice No.", "DATE", "TIME", "TEL", "FAX", "Balance", "Rounding", "Discount", "GST 6%",
    "TOTAL (RM)", "Total Sales", "RECEIPT #", "CASHIER", "TABLE", "Card No", "REF", "No.",
    "DOC NO.", "BILL NO", "Item", "UNIT PRICE", "NET", "Page", "SR", "ZRL", "Counter",
    "Salesperson", "Order No", "Guest", "Closed", "Sub-Total", "Net Total",
)  # fmt: skip
# Labels of fields; the second list adds those of contracts and personal forms.
CHINESE_FIELDS = (
    "合计", "金额", "单价", "数量", "税率", "税额", "日期", "发票代码", "发票号码", "开户行",
    "账号", "电话", "地址", "姓名", "身份证号", "出生", "有效期", "应付", "找零", "实收", "共计",
    "编号", "订单号", "备注", "价税合计（大写）", "纳税人识别号", "总计", "會員", "電話",
    "日期時間", "單價", "數量",
)  # fmt: skip
CHINESE_LABELS = (
    *CHINESE_FIELDS,
    "甲方", "乙方", "签字", "联系人", "规格型号", "收款人", "复核", "开票人", "购买方", "销售方",
    "小写", "性别", "民族",
)  # fmt: skip
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏"
    "苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧阳"
)
DOMAINS = (
    "com", "net", "org", "com.my", "cn", "co.uk", "io", "de",
)  # fmt: skip
MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
# Characters that are often confused, and punctuation of both widths.
LOOK_ALIKES = (
    "0Oo1lI|i!5S8B2Z6b9gqCcVvWwXxUuKkPpMm",
    "己已巳未末土士日曰人入八千干于天夫大太犬甲由申田电戊戌戍成末木本术",
    ",，.。:：;；!！?？()（）-－—_~～'\"“”‘’、·%％$￥¥€£&@#*+=<>[]{}/\\|^`",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
)  # fmt: skip
ROMAN_NUMERALS = (
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV",
    "XVI", "XVII", "XVIII", "XIX", "XX", "XXX", "XLIII", "LXXVIII", "MMXVIII", "MCMXCIX",
)  # fmt: skip
# Characters that lose a copy when they are repeated.
REPEATED = (
    "一", "二", "三", "人", "谢", "哈", "个", "天", "日", "田", "口", "小", "丁", "十", "川",
    "工", "上", "下", "-", ".", "*", "=", "…", "—", "~", "_", "l", "i", "I", "1", "w", "W", "v",
    "V", "m", "o", "0", "x",
)  # fmt: skip
PINYIN = (
    "nǐ hǎo", "zhōng guó", "xué xí", "lǎo shī", "péng yǒu", "xiè xie", "zài jiàn", "běi jīng",
    "shàng hǎi", "lǜ sè", "nǚ ér", "lǘ", "lǖ", "ào yùn", "ōu zhōu", "é méi", "àn shí", "qù nián",
    "dòng wù", "yǔ yán", "pīn yīn", "shēng diào", "hǎo hǎo xué xí", "tiān tiān xiàng shàng",
    "mǔ qīn", "wǒ ài nǐ", "nín guì xìng", "jīn tiān", "míng tiān", "zuó tiān", "xīng qī èr",
    "dà xué", "xiǎo xué", "kě yǐ", "bù kè qì", "ǹg", "ḿ", "lún", "gǔn", "chūn tiān", "xià yǔ",
    "fēi jī", "huǒ chē", "diàn huà", "shǒu jī", "yī èr sān sì", "wǔ liù qī bā",
)  # fmt: skip
FORMULAE = (
    "H₂O", "CO₂", "H₂SO₄", "NaHCO₃", "C₆H₁₂O₆", "x²+y²=z²", "a³", "10⁻⁶", "2ⁿ", "m³/s", "25℃",
    "77℉", "3‰", "μg/m³", "kg/m²", "±0.5", "Fe₂O₃", "SO₄²⁻", "Na⁺", "x₁+x₂", "10⁹", "10⁻⁷",
    "CaCO₃", "N₂", "A₀", "P₈", "t₉",
)  # fmt: skip

# Symbols that were appended to the charset (`model.training.charset`).
_PINYIN_LETTERS = "ǎǐǒǔǖǘǚǜǹḿ"
_BOXES = "☐☑☒✓✗"
_UNIT_SIGNS = "№㎡㎏㎎㎜㎝㎞㏄℉"
_SUPERSCRIPTS = "⁰⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_FRACTIONS = "⅓⅔⅕⅛⅜⅝⅞"
_CIRCLED = "㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚❶❷❸❹❺❻❼❽❾❿⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽㈠㈡㈢㈣㈤㈥㈦㈧㈨㈩"
_MARKS = "¡฿▶▼▽◀▪♥♪☎の⇒"
SYMBOLS = (
    _PINYIN_LETTERS + _BOXES + _UNIT_SIGNS + _SUPERSCRIPTS + _SUBSCRIPTS + _FRACTIONS + _CIRCLED
    + _MARKS
)  # fmt: skip

# Punctuation of vertical text, and the sign of horizontal text that it is recognised as.
VERTICAL_FORMS = dict(
    zip(
        "，、。：；！？（）｛｝〔〕【】《》〈〉「」『』",
        "︐︑︒︓︔︕︖︵︶︷︸︹︺︻︼︽︾︿﹀﹁﹂﹃﹄",
        strict=True,
    )
)
OTHER_GLYPHS = {"✓": "✔", "✗": "✘"}
# Chinese characters that are often confused, also in words; the last rows name substances.
CONFUSABLE_HANZI = (
    "己已巳", "未末", "颐额颜", "浸漫侵", "日曰", "土士", "人入八", "戊戌戍成", "千干于", "天夭夫",
    "大太犬", "申甲由田", "木本术", "王玉主", "治冶", "侯候", "拔拨", "拆折析", "抢抡", "茶荼",
    "刺剌", "辨辩辫", "免兔", "乌鸟", "爪瓜", "今令", "住往", "徒徙", "历厉", "风凤", "斤斥",
    "衷哀衰", "裁栽载", "竞竟", "第弟", "盲育肓", "准淮", "洗冼", "即既", "粟栗", "睛晴", "暖暧",
    "赢嬴", "孟盂", "钓钩钧", "叉又", "傅博搏膊", "愉偷渝", "端瑞", "侍待恃", "祟崇", "被彼披",
    "裸棵", "炙灸", "撤撒", "戮戳", "慨概", "毫亳", "毛手", "牛午", "贝见", "间问闻闷", "藉籍",
    "馈溃愧", "揭渴喝竭", "蓝篮", "遣遗", "庄压", "名各", "休体", "设没", "贷货", "曝暴爆", "壁璧",
    "陪赔培", "密蜜", "副幅福", "官宫", "兵乒乓", "喝渴", "拾捡", "仿防妨", "汰汏", "屯电", "穴六",
    "酸酒酶酵醇", "醛醚酯酮酚", "烷烯炔烃", "氯氢氧氮氟氨", "胺铵", "钠钡钙钾", "锌镁铝锰锂",
    "磷硫硝硅碳", "苯萘", "腺胰肽脂肪", "菌茵", "炎淡", "症证", "疮疱疹",
)  # fmt: skip
GREEK_LOWER, GREEK_UPPER = "αβγδεζηθλμπρστφχψω", "ΔΘΛΞΠΣΦΨΩ"
