/** Bundles scripts, styles, fonts and icons into the console's static folder, with hashed names and a manifest. */

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";
import { PurgeCSS } from "purgecss";

import { ICONS } from "./src/icons.mjs";

const web = path.dirname(fileURLToPath(import.meta.url));
const consoleDir = path.join(web, "../src/fleetkeeper/console");
const dist = path.join(consoleDir, "static/dist");
const manifest = {};

async function writeHashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10).toUpperCase();
  const { name: stem, ext } = path.parse(name);
  manifest[name] = `${stem}-${hash}${ext}`;
  await writeFile(path.join(dist, manifest[name]), content);
}

/** Tabler is large: keep only the rules whose classes stand in a template or a script. */
const purgeTabler = {
  name: "purge-tabler",
  setup(build) {
    build.onLoad({ filter: /tabler\.css$/ }, async (args) => {
      const [result] = await new PurgeCSS().purge({
        css: [args.path],
        content: [`${consoleDir}/templates/**/*.html`, `${web}/src/**/*.js`],
        variables: true,
        keyframes: true,
        safelist: { deep: [/data-bs-theme/] },
      });
      return { contents: result.css, loader: "css" };
    });
  },
};

async function bundle(entryPoints, options) {
  const result = await esbuild.build({
    absWorkingDir: web,
    entryPoints,
    ...options,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    outdir: dist,
    bundle: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    minify: true,
    metafile: true,
    legalComments: "linked",
    loader: { ".woff2": "file" },
    plugins: [purgeTabler],
    logLevel: "warning",
  });
  for (const [output, { entryPoint }] of Object.entries(result.metafile.outputs)) {
    if (entryPoint) manifest[path.basename(entryPoint)] = path.basename(output);
  }
}

/** One SVG sprite; templates and scripts show a symbol of it with <use href="…#name">. */
async function drawSprite() {
  const symbols = await Promise.all(
    ICONS.map(async (name) => {
      const file = path.join(web, "node_modules/@tabler/icons/icons/outline", `${name}.svg`);
      const shapes = (await readFile(file, "utf8")).match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
      return (
        `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" ` +
        `stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${shapes.replace(/\s+/g, " ").trim()}</symbol>`
      );
    }),
  );
  await writeHashed("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);
  await writeHashed("favicon.svg", await readFile(path.join(web, "src/favicon.svg")));
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
// Modules are deferred; the theme must be on the page before its first paint, so its script is a classic one.
await bundle(["src/theme_boot.js"], { format: "iife" });
await bundle(
  ["src/console.js", "src/device.js", "src/explore.js", "src/dashboard.js", "src/dashboards.js", "src/alert.js", "src/topology.js", "src/sign_in.js", "src/account_security.js", "src/styles/console.css", "src/styles/board_editor.css"],
  { format: "esm", splitting: true },
);
await drawSprite();
await writeFile(path.join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
const files = await readdir(dist);
process.stdout.write(`${files.length} files in ${path.relative(process.cwd(), dist)}\n`);
