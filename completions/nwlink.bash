# Completion of nwlink for bash: commands, options, namespaces, interfaces, profiles, conditions.
_nwlink_profiles() { # those built in and those of the file named on the line; one a line, names may have blanks
    local index file=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        [[ ${COMP_WORDS[index]} == --profiles ]] && file=(--profiles "${COMP_WORDS[index + 1]}")
    done
    nwlink profiles "${file[@]}" --json 2>/dev/null | sed -n 's/^{"name":"\([^"]*\)".*/\1/p'
}

_nwlink() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} index word command= name
    local options="-b -c -d -h -p -q -u --address-a --address-b --both --control --device-a --device-b --device-mtu
        --down --help --json --memory --no-addresses --profile --profiles --quiet --realtime --route-a --route-b
        --seed --stats --tap --up --version"
    local keys="rate= delay= jitter= queue= loss= burst= duplicate= reorder= corrupt= mtu= mtu-signal=yes dns-delay="
    COMPREPLY=()
    case $prev in
    -p|--profile)
        while IFS= read -r name; do
            [[ ${name,,} == "${cur,,}"* ]] && COMPREPLY+=("$(printf %q "$name")")
        done < <(_nwlink_profiles)
        return ;;
    --profiles|-c|--control)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    -u|--up|-d|--down|-b|--both)
        compopt -o nospace
        mapfile -t COMPREPLY < <(compgen -W "$keys" -- "$cur")
        return ;;
    --device-mtu)
        mapfile -t COMPREPLY < <(compgen -W "1280 1500 9000" -- "$cur")
        return ;;
    --seed|--stats|--memory|--address-a|--address-b|--device-a|--device-b)
        return ;;
    esac
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        case $word in
        between|tun|join|run|profiles) command=$word; break ;;
        esac
    done
    if [[ $command == run && " ${COMP_WORDS[*]:0:COMP_CWORD} " == *" -- "* ]]; then
        mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    elif [[ -z $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W "between tun join run profiles" -- "$cur")
    elif [[ $command == between ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(ls /run/netns 2>/dev/null) ." -- "$cur")
    elif [[ $command == join ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$cur")
    elif [[ $command == run ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    fi
}
complete -F _nwlink nwlink
