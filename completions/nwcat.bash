# Completion of nwcat for bash: options, host names, ports by service name, files.
_nwcat() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local options="-4 -6 -b -d -h -i -k -l -N -o -p -q -s -t -u -U -v -w -z
        --ipv4 --ipv6 --bonjour --detach --help --input --psk --listen --shutdown --output
        --source-port --quit --source --tls --udp --unix --verbose --timeout --probe --keep-open
        --no-shutdown --linger --timeline --timeline-svg --report --progress --no-progress --json --wait
        --version"
    COMPREPLY=()
    case $prev in
    -i|--input|-o|--output|--timeline-svg)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    -w|--timeout|-q|--quit|-k|--psk|-p|--source-port)
        return ;;
    --linger)
        mapfile -t COMPREPLY < <(compgen -W "0.5 5 forever" -- "$cur")
        return ;;
    -s|--source)
        mapfile -t COMPREPLY < <(compgen -W "127.0.0.1 ::1" -- "$cur")
        return ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    # Which word is it: the first is the host (or with -U a path, with -l perhaps a port), the next the port.
    local index word words=0 unix=0 listen=0
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        case $word in
        -U|--unix) unix=1 ;;
        -l|--listen) listen=1 ;;
        -i|-o|-p|-q|-s|-w|-k|--input|--output|--source-port|--quit|--source|--timeout|--psk|--linger|--timeline-svg)
            ((index++)) ;;
        -*) ;;
        *) ((words++)) ;;
        esac
    done
    if ((unix)); then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    elif ((words == 0 && !listen)); then
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -A service -- "$cur")
    fi
}
complete -o filenames -F _nwcat nwcat
