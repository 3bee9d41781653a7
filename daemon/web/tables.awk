# SPDX-License-Identifier: GPL-2.0-or-later
# The rows of kinds.def, vmflags.def, pagestates.def, pageflags.def and kpageflags.def as a module for the page: for each
# table the names, in order, with what they mean.

# The last two strings of a row are its name and its help.
function row(text, name, help) {
	help = text
	sub(/"\)$/, "", help)
	name = help
	sub(/^.*"[ \t]*,[ \t]*"/, "", help)
	sub(/"[ \t]*,[ \t]*"[^"]*$/, "", name)
	sub(/^.*"/, "", name)
	printf "\t[\"%s\", \"%s\"],\n", name, help
}

FNR == 1 {
	if (open)
		print "]);"
	table = FILENAME
	sub(/^.*\//, "", table)
	sub(/\.def$/, "", table)
	if (!open)
		print "// made by daemon/web/tables.awk of include/vmad/*.def"
	printf "export const %s = new Map([\n", table
	open = 1
}

/^[A-Z]+\(/ { text = "" ; inside = 1 }
inside {
	line = $0
	sub(/^[ \t]+/, "", line)
	text = text (text == "" ? "" : " ") line
	if (line ~ /\)$/) {
		gsub(/"[ \t]+"/, "", text)
		row(text)
		inside = 0
	}
}

END { print "]);" }
