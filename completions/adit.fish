# fish completion for adit, which itself says what it takes.

function __adit_complete
    set -l words (commandline -opc)
    set -l answer ($words[1] complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$answer" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $answer
    end
end

complete -c adit -f -a '(__adit_complete)'
