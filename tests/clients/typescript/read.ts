import { readFile } from "node:fs/promises";
import createClient from "openapi-fetch";
import type { paths } from "./ocr.js";

const [origin, key, file] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: origin, headers: { "X-API-Key": key! } });
const image = new Blob([await readFile(file!)], { type: "image/png" });
const { data, error } = await client.POST("/ocr", {
  params: { query: { words: "word" } },
  body: { image: [file!] },
  bodySerializer: () => {
    const form = new FormData();
    form.append("image", image, "receipt.png");
    return form;
  },
});
if (error) {
  console.log(error.code, error.request_id);
} else if (typeof data === "object" && "lines" in data) {
  console.log(data.lines.map((line) => `${line.text} ${line.words?.length}`).join("\n"));
}
