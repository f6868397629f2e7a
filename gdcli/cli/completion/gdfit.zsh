#compdef gdfit
# Completion of gdfit's commands, options, files and column names in zsh.
# To have it in every shell, put this line into ~/.zshrc, below the one with compinit:
#     source <(gdfit completion zsh)
# or write this text to a file _gdfit in a folder of $fpath.

_gdfit() {
    local program=${(Q)words[1]} line
    local -a fields values meanings shown
    local -i files=0 i
    for line in "${(@f)$(_GDFIT_COMPLETE=zsh ${~program} "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        fields=("${(@ps:\t:)line}")
        if [[ $fields[1] == file ]]; then
            files=1
        elif [[ -n $fields[2] ]]; then
            values+=("$fields[2]")
            meanings+=("$fields[3]")
        fi
    done
    [[ $PREFIX == -*=* ]] && compset -P 1 '*='
    if [[ -n ${(j::)meanings} ]]; then
        for i in {1..$#values}; do
            shown+=("${(r:18:)values[i]} $meanings[i]")
        done
        compadd -V gdfit -l -d shown -a values
    elif (( $#values )); then
        compadd -V gdfit -a values
    fi
    (( files )) && _files
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _gdfit "$@"
else
    compdef _gdfit gdfit
fi
