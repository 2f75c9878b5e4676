# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Completes socksify's command line in bash: the options, then whatever the command's own completion offers.

# Prints the index of the command among the words, or nothing if there is none yet.
_socksify_command() {
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --) echo $((i + 1)) && return ;;
      -[sundo] | --ssh) i=$((i + 1)) ;;
      =) i=$((i + 1)) ;; # --ssh=GATEWAY, which readline splits into three words
      -*) ;;
      *) echo "$i" && return ;;
    esac
  done
}

_socksify() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command
  COMPREPLY=()
  command=$(_socksify_command)
  if [ -n "$command" ]; then
    # A function of bash-completion. Without it, bash completes file names.
    if declare -F _command_offset >/dev/null; then _command_offset "$command"; fi
    return
  fi
  case $before in
    -s) mapfile -t COMPREPLY < <(compgen -W 'socks4:// socks4a:// unix:/' -A hostname -- "$word") ;;
    -u) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    -d) mapfile -t COMPREPLY < <(compgen -W '0 1 2 3' -- "$word") ;;
    -o) mapfile -t COMPREPLY < <(compgen -W stderr -f -- "$word") ;;
    -n) ;;
    --ssh) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") ;;
    *)
      case $word in
        -*) mapfile -t COMPREPLY < <(compgen -W '-s -u -n -v -d -o --local --ssh --check --json --shell --env --help --version' -- "$word") ;;
        *) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
      esac
      ;;
  esac
}
complete -o default -F _socksify socksify
