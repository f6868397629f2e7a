# Completion of gdfit's commands, options, files and column names in bash (4.4 or newer).
# To have it in every shell, put this line into ~/.bashrc:
#     source <(gdfit completion bash)
# or write this text to ~/.local/share/bash-completion/completions/gdfit, where bash-completion finds it.

_gdfit() {
    local kind value files program=${COMP_WORDS[0]/#\~/$HOME}
    COMPREPLY=()
    while IFS=$'\t' read -r kind value _; do
        case $kind in
            file)
                compopt -o filenames
                mapfile -t files < <(compgen -f -- "$value")
                COMPREPLY+=("${files[@]}")
                ;;
            plain) # a column may be called `x` or $(x)
                printf -v value %q "$value"
                COMPREPLY+=("$value")
                ;;
            ready)
                COMPREPLY+=("$value")
                ;;
        esac
    done < <(_GDFIT_COMPLETE=bash "$program" "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}

complete -o nosort -F _gdfit gdfit
