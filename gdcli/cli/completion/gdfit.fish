# Completion of gdfit's commands, options, files and column names in fish (3.1 or newer).
# To have it in every shell, write this text where fish looks for it:
#     gdfit completion fish > ~/.config/fish/completions/gdfit.fish

function __gdfit_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (_GDFIT_COMPLETE=fish $words[1] $words[2..] "$current" 2>/dev/null)
        set -l fields (string split \t -- $line)
        if test $fields[1] = file
            # After --output= the name of a file, with that in front: fish replaces the whole word.
            set -l option (string match -r -- '^--[^=]*=' "$current")
            for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
                echo -- "$option$path"
            end
        else
            echo -- $fields[2]\t$fields[3]
        end
    end
end

complete -c gdfit -f -a '(__gdfit_complete)'
