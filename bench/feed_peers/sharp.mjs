// The sharp side of bench/feed.py: to raw 8-bit RGB at the letterboxed size, without normalising. One thread.
// usage: sharp.mjs PEERS SIDE FILE...   (PEERS: the folder with node_modules/sharp)
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

const [peers, sideText, ...files] = process.argv.slice(2);
const sharp = createRequire(resolve(peers, 'package.json'))('sharp');
sharp.concurrency(1);
sharp.cache(false);
const side = Number(sideText);

async function raw(path) {
  const bytes = readFileSync(path);
  const { width, height } = await sharp(bytes).metadata();
  const scale = Math.min(side / width, side / height);
  const size = [width, height].map((extent) => Math.max(1, Math.floor(extent * scale + 1e-6)));
  return sharp(bytes).resize(size[0], size[1], { fit: 'fill' }).raw().toBuffer();
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.startsWith('run')) continue;
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  for (const path of files) await raw(path);
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpuStart);
  console.log(JSON.stringify({ seconds, cpu: (used.user + used.system) / 1e6 }));
}
