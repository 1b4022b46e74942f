# bash completion for adit, which itself says what it takes.

_adit() {
  local answer line
  COMPREPLY=()
  answer=$("${COMP_WORDS[0]}" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  if [[ $answer == :files ]]; then
    compopt -o default 2>/dev/null # names of files, as bash completes them
    return
  fi
  while IFS=$'\t' read -r line _; do
    if [[ -n $line ]]; then COMPREPLY+=("$line"); fi
  done <<<"$answer"
}

complete -F _adit adit
