// Holds the sizes that CONTRIBUTING.md states: files of C++ to 500 lines, functions to 70, lines to 130 columns.
// A function is found by its layout, which clang-format fixes: a head at the left margin that ends in `{`, and the
// next `}` at the left margin. Of a switch, lines that are only `case …:` or `break;` do not count. Tables of values
// have no bound: variables (`= {`), and functions of whose comment the last line ends in "(A table: its lines are
// values.)".
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const MOST_FILE_LINES = 500;
const MOST_FUNCTION_LINES = 70;
const MOST_COLUMNS = 130;

const files = execFileSync("git", ["ls-files", "src/*.cc", "src/*.h", "tests/*.cc", "tests/*.h", "bench/*.cc"])
  .toString().trim().split("\n");
const findings = [];

const opensFunction = (lines, index) => {
  const line = lines[index];
  if (!line.endsWith("{") || /=\s*\{$/.test(line)) return undefined;
  let head = index;
  // A head of several lines: its continuation lines are indented by four or more.
  while (head > 0 && index - head < 8 && /^\s{4}/.test(lines[head])) head--;
  if (!/^[A-Za-z_[~]/.test(lines[head])) return undefined;
  if (/^(namespace|class|struct|enum|union|extern "C")\b/.test(lines[head])) return undefined;
  if (/^template\b/.test(lines[head]) && /\b(class|struct)\b[^<>(),]*\{$/.test(line)) return undefined;
  if (/([;}]|=\s*\{)$/.test(lines[head])) return undefined;
  return head;
};

for (const file of files) {
  const lines = readFileSync(file, "utf8").replace(/\n$/, "").split("\n");
  if (lines.length > MOST_FILE_LINES) findings.push(`${file}:1: ${lines.length} lines; at most ${MOST_FILE_LINES}`);
  let body;
  lines.forEach((line, index) => {
    if (line.length > MOST_COLUMNS) findings.push(`${file}:${index + 1}: ${line.length} columns; at most ${MOST_COLUMNS}`);
    if (body !== undefined && line.startsWith("}")) {
      const length = lines.slice(body + 1, index)
        .filter((each) => !/^\s*(case [^;]*:|default:|break;)$/.test(each)).length;
      if (length > MOST_FUNCTION_LINES) {
        findings.push(`${file}:${body + 1}: a function of ${length} lines; at most ${MOST_FUNCTION_LINES}`);
      }
      body = undefined;
    } else if (body === undefined) {
      const head = opensFunction(lines, index);
      if (head !== undefined && !/\(A table: its lines are values\.\)$/.test(lines[head - 1] ?? "")) body = index;
    }
  });
}

for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exit(1);
