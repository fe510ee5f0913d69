# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Joins modules into one classic script, each in a scope of its own: awk -f join.awk a.js b.js
# A module comes behind those that it imports; import and export are written on one line each.
function finish() { if (names != "") print "return {" names " };\n})();"; else print "})();" }
function place(file) { sub(/.*\//, "", file); sub(/\.js.*/, "", file); return "module_" file }

BEGIN { print "\"use strict\";(() => {" }
FNR == 1 {
	if (NR > 1) finish()
	names = ""
	print "const " place(FILENAME) " = (() => {"
}
/^import / {
	match($0, /\{.*\}/)
	list = substr($0, RSTART, RLENGTH)
	match($0, /".*"/)
	print "const " list " = " place(substr($0, RSTART + 1, RLENGTH - 2)) ";"
	next
}
/^export / {
	sub(/^export /, "")
	name = $0
	sub(/^(async )?(const|function|class) /, "", name)
	sub(/[^A-Za-z0-9_].*/, "", name)
	names = names (names == "" ? " " : ", ") name
}
{ print }
END { finish(); print "})();" }
