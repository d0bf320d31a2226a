// SPDX-License-Identifier: MIT
//
// What answers the calls of `json` in lib.sh: `node json.mjs FOLDER`. A line of standard input names a call, ID: FOLDER/ID.in is
// JSON, called `j`, and FOLDER/ID.js an expression with it. The pipe FOLDER/ID.said gets a line, 0 or 1, and behind it the
// value, or what went wrong.

import fs from "node:fs";
import readline from "node:readline";

const folder = process.argv[2];

// Each has variables of its own: direct eval keeps `const` to itself.
function evaluate(j, expression) {
  return eval(expression);
}

function answer(id) {
  try {
    const value = evaluate(JSON.parse(fs.readFileSync(`${folder}/${id}.in`, "utf8")), fs.readFileSync(`${folder}/${id}.js`, "utf8"));
    return "0\n" + (typeof value === "object" ? JSON.stringify(value) : String(value));
  } catch (error) {
    return "1\n" + error;
  }
}

// Not synchronously: a caller that is gone never opens its pipe.
readline.createInterface({ input: process.stdin }).on("line", (id) => fs.writeFile(`${folder}/${id}.said`, answer(id), () => {}));
