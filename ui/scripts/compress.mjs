// Writes .br and .gz beside every text asset of dist/, and fails when the initial download passes its budget.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;
const initialBudgetBytes = 350 * 1024;
const textFile = /\.(js|css|html|svg|json|txt|webmanifest)$/;

function filesIn(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesIn(path) : [path];
  });
}

function compress(path) {
  const raw = readFileSync(path);
  const gzip = gzipSync(raw, { level: 9 });
  const brotli = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  writeFileSync(`${path}.gz`, gzip);
  writeFileSync(`${path}.br`, brotli);
  return { name: path.slice(dist.length), raw: raw.length, gzip: gzip.length, brotli: brotli.length };
}

const sizes = filesIn(dist)
  .filter((path) => textFile.test(path))
  .map(compress);
for (const size of sizes) {
  console.log(`${size.name.padEnd(40)} ${size.raw} B, gzip ${size.gzip} B, brotli ${size.brotli} B`);
}

// What index.html names is what a first visit downloads before it can draw; fonts come after the text.
const html = readFileSync(join(dist, "index.html"), "utf8");
const initial = sizes.filter((size) => size.name === "index.html" || html.includes(`/${size.name}`));
const gzipBytes = initial.reduce((sum, size) => sum + size.gzip, 0);
const brotliBytes = initial.reduce((sum, size) => sum + size.brotli, 0);
console.log(`initial download: gzip ${gzipBytes} B, brotli ${brotliBytes} B, budget ${initialBudgetBytes} B`);
if (gzipBytes > initialBudgetBytes) {
  console.error(`the initial download is ${gzipBytes - initialBudgetBytes} B over its budget`);
  process.exit(1);
}
