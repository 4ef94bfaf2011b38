# Completion of nwpath for bash: options, types, interfaces, host names, ports by service name.
_nwpath() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local options="-4 -6 -h --ipv4 --ipv6 --help --require-type --prohibit-type --interface --prohibit-interface
        --no-expensive --no-constrained --ultra-constrained --once --changes --for --json --color --version"
    COMPREPLY=()
    case $prev in
    --require-type)
        mapfile -t COMPREPLY < <(compgen -W "wired wifi cellular loopback" -- "$cur")
        return ;;
    --prohibit-type)
        mapfile -t COMPREPLY < <(compgen -W "wired wifi cellular loopback other" -- "$cur")
        return ;;
    --interface|--prohibit-interface)
        mapfile -t COMPREPLY < <(cd /sys/class/net && compgen -G "$cur*")
        return ;;
    --changes|--for)
        return ;;
    esac
    if [[ $cur == --color=* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--color=auto --color=always --color=never" -- "$cur")
        return
    fi
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    local index words=0
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${COMP_WORDS[index]} in
        --require-type|--prohibit-type|--interface|--prohibit-interface|--changes|--for) ((index++)) ;;
        -*) ;;
        *) ((words++)) ;;
        esac
    done
    if ((words == 0)); then
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -A service -- "$cur")
    fi
}
complete -F _nwpath nwpath
