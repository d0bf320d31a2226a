#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The manual pages and completions that the build writes: they say the same as --help, the pages render
# without a warning, and each shell completes by them, asked itself.

. "$(dirname "$0")/lib.sh"
need man man-db
need zsh zsh
need fish fish

DOCS=${WT_BUILD_DIR:?}/manual
export HOME=$DIR XDG_CONFIG_HOME=$DIR XDG_DATA_HOME=$DIR LC_ALL=C.UTF-8 MANWIDTH=100
unset MANROFFSEQ MANROFFOPT MANPAGER GROFF_NO_SGR

# The names in a section of --help: one a line, as in "  serve   Serves ...".
names_of() { # names_of <section> <help>
  sed -n "/^$1:\$/,/^\$/s/^  \([a-z][a-z-]*\) .*/\1/p" <<<"$2"
}

# The options in --help, one a line, with their dashes.
options_of() { # options_of <help>
  sed -n '/^Options:$/,/^$/s/^  \(\(-.\), \|    \)\(--[a-z0-9-]*\).*/\2 \3/p' <<<"$1" | tr ' ' '\n' | grep .
}

# The rows of a section of --help, each put together in one line: "-d, --days N How long ...".
rows_of() { # rows_of <section> <help>
  sed -n "/^$1:\$/,/^\$/p" <<<"$2" | sed 1d | tr -s ' \n' ' \n' |
    awk '/^ (-|[0-9] )/ { if (row) print row; row = "" } { row = row $0 } END { print row }' | sed 's/^ *//; s/ *$//'
}

# Lines in order, in one line.
in_line() { grep . | sort -u | paste -s -d ' '; }

# Each command and subcommand, with '/' for the space.
all=()
commands=$(names_of Commands "$("$WEBTRANSPORT" --help)")
for command in $commands; do
  all+=("$command")
  for subcommand in $(names_of Subcommands "$("$WEBTRANSPORT" "$command" --help)"); do all+=("$command/$subcommand"); done
done
check_contains "there are commands" " ${all[*]} " " cert cert/show "

# --- Manual pages. ---

# Bold and underlined characters are overstruck.
rendered() { man -E UTF-8 -l "$1" 2>/dev/null | sed 's/.\x08//g; s/\x1b\[[0-9;]*m//g'; }
# The text with each space as wide as the next, and without what hyphenation might add.
flat() { tr -s ' \n' ' ' <<<"$1"; }

check_equal "a page for each command, and one for all" \
  "$({ echo webtransport.1; for command in $commands; do echo "webtransport-$command.1"; done; } | in_line)" \
  "$(cd "$DOCS" && printf '%s\n' *.1 | in_line)"
for page in "$DOCS"/*.1; do
  check_equal "man has no warning about ${page##*/}" "" \
    "$(man --warnings=w -E UTF-8 -l -Tutf8 "$page" 2>&1 >/dev/null)"
done
page=$(flat "$(rendered "$DOCS/webtransport.1")")
help=$("$WEBTRANSPORT" --help)
for command in $commands; do check_contains "webtransport(1) names $command" "$page" "webtransport-$command(1)"; done
check_rows() { # check_rows <page's name> <page> <help>: each option and exit status of the help is in the page
  local section row
  for section in Options "Exit status"; do
    check_equal "$1: --help has a list: $section" true "$([ -n "$(rows_of "$section" "$3")" ] && echo true)"
    while IFS= read -r row; do check_contains "$1 has '$row'" "$2" " $row "; done < <(rows_of "$section" "$3")
  done
}
check_equal "there are ten exit statuses" "0123456789" "$(rows_of "Exit status" "$help" | cut -c 1 | tr -d '\n')"
check_rows "webtransport(1)" "$page" "$help"
for name in "${all[@]}"; do
  # shellcheck disable=SC2086
  check_rows "the page of $name" "$(flat "$(rendered "$DOCS/webtransport-${name%%/*}.1")")" \
    "$("$WEBTRANSPORT" ${name/\// } --help)"
done

# --- Bash. The words are given as bash breaks them, at '=' and ':' too. ---

check_equal "bash: the file is of use" "complete -F _webtransport webtransport" \
  "$(bash -c '. "$1"; complete -p webtransport' bash "$DOCS/webtransport.bash")"

in_bash() { # in_bash <word>...: what is suggested for the last, in one line
  bash -c 'set -u; . "$1"; shift; COMP_WORDS=(webtransport "$@"); COMP_CWORD=$#
           _webtransport webtransport "${!#}" ""; printf "%s\n" ${COMPREPLY[@]+"${COMPREPLY[@]}"}' \
    bash "$DOCS/webtransport.bash" "$@" 2>&1 | in_line
}

# --- Zsh: an interactive one on a terminal of its own. Its suggestions go to a file on their way to the screen. ---

cat >"$DIR/inner.zsh" <<'ZSH'
PROMPT= RPROMPT=
fpath=("$DOCS_FOLDER" $fpath)
autoload -Uz compinit && compinit -C -d "$DIR/compdump"
zstyle ':completion:*' verbose no
compadd() {
  local -a hits options=("${@[1,(i)(-|--)]}")
  # Calls with -A, -D or -O fill arrays of their own; the others suggest.
  if [[ " $options " != *' -'[ADO]' '* ]]; then
    builtin compadd -A hits "$@"
    print -rl -- $hits >>"$HITS"
  fi
  builtin compadd "$@"
}
ended() { print ENDED }
zle -N ended
bindkey '^X' ended
bindkey '^I' complete-word
setopt no_beep no_list_beep
LISTMAX=1000000
print READY
ZSH
cat >"$DIR/outer.zsh" <<'ZSH'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "source $DIR/inner.zsh"
zpty -r -m shell seen '*READY*' || exit 1
zpty -w -n shell "$LINE"$'\t\x18'
zpty -r -m shell seen '*ENDED*' || exit 1
zpty -d shell
ZSH
in_zsh() { # in_zsh <word>...
  rm -f "$DIR/hits"
  LINE="webtransport $*" DIR=$DIR DOCS_FOLDER=$DOCS HITS=$DIR/hits TERM=dumb timeout 60 \
    zsh -f "$DIR/outer.zsh" </dev/null >/dev/null 2>&1 || { echo "zsh did not answer"; return; }
  [ ! -e "$DIR/hits" ] || in_line <"$DIR/hits"
}

# --- Fish, which can be asked. ---

# From 4.0 on it adds suggestions that merely contain the letters of the word, in their order, and ranks them behind those
# that begin with it.
in_fish() { # in_fish <word>...
  local found
  found=$(cd "$DIR/files" && fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' "$DOCS/webtransport.fish" \
    "webtransport $*" 2>&1 | cut -f 1)
  { awk -v word="${*: -1}" 'index($0, word) == 1' <<<"$found" | grep . || echo "$found"; } | in_line
}

mkdir -p "$DIR/files/folder"
touch "$DIR/files/one.pem" "$DIR/files/two.pem"
cd "$DIR/files" || exit 1

# Everything that --help lists is suggested, in each shell.
for shell in bash zsh fish; do
  check_equal "$shell: the commands" "$(in_line <<<"$commands")" "$(in_$shell '')"
  check_equal "$shell: the tool's options" "--help --version" "$(in_$shell -- | tr ' ' '\n' | grep -- -- | in_line)"
  for name in "${all[@]}"; do
    # shellcheck disable=SC2086
    check_equal "$shell: the options of $name" \
      "$(options_of "$("$WEBTRANSPORT" ${name/\// } --help)" | grep -- '^--' | in_line)" \
      "$(in_$shell ${name/\// } -- | tr ' ' '\n' | sed 's/=$//' | grep -- '^--' | in_line)"
  done
  check_equal "$shell: the beginning of an option" "--cert" "$(in_$shell serve --ce | sed 's/=$//')"
  check_equal "$shell: the beginning of a command" "serve" "$(in_$shell se)"
  check_equal "$shell: words as a value" "debug error info none warn" "$(in_$shell serve --log '')"
  check_equal "$shell: the beginning of a word" "always" "$(in_$shell serve --retry a)"
  check_contains "$shell: a word beside hosts" " $(in_$shell serve --http n) " " none "
  check_contains "$shell: files as a value" " $(in_$shell serve --cert o) " " one.pem "
  check_equal "$shell: files as the value of a letter" "two.pem" "$(in_$shell serve -k t)"
  check_equal "$shell: folders as a value" "folder" "$(in_$shell serve --www f | tr -d /)"
  check_equal "$shell: a number is not suggested" "" "$(in_$shell serve --max-connections '')"
  check_contains "$shell: a subcommand" " $(in_$shell cert '') " " show "
  check_equal "$shell: a subcommand's operand" "one.pem" "$(in_$shell cert show o)"
  check_equal "$shell: and one more of them" "two.pem" "$(in_$shell cert show one.pem t)"
  check_equal "$shell: the value of an option is no command" "serve" "$(in_$shell cert --out x sho | grep -q show && in_$shell se)"
  check_contains "$shell: after an option's value" " $(in_$shell serve --log info --retry '') " " load "
done
check_equal "bash: a value after '='" "debug" "$(in_bash serve --log = d)"
check_equal "bash: all values after '='" "debug error info none warn" "$(in_bash serve --log =)"
check_equal "bash: after a value with '='" "always load never" "$(in_bash serve --log = debug --retry '')"
check_equal "bash: after a value with ':'" "always load never" "$(in_bash serve -l '[' :: ']' : 4433 --retry '')"
check_equal "zsh: a value after '='" "debug" "$(in_zsh serve --log=d)"
check_equal "fish: a value after '='" "--log=debug" "$(in_fish serve --log=d)"

finish
