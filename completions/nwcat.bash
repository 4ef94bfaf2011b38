# Completion of nwcat for bash: options, host names, ports by service name, files.
_nwcat() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local options="-4 -6 -b -d -h -i -k -l -N -o -p -q -s -t -u -U -v -w -z
        --ipv4 --ipv6 --bonjour --detach --help --input --psk --listen --shutdown --output
        --source-port --quit --source --tls --udp --unix --verbose --timeout --probe --keep-open
        --no-shutdown --linger --timeline --timeline-svg --report --progress --no-progress --json --wait
        --ca --cert --key --password-file --server-name --alpn --tls-min --tls-max --ciphers
        --show-certs --insecure --version"
    COMPREPLY=()
    case $prev in
    -i|--input|-o|--output|--timeline-svg|--ca|--cert|--key|--password-file)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    -w|--timeout|-q|--quit|-k|--psk|-p|--source-port)
        return ;;
    --linger)
        mapfile -t COMPREPLY < <(compgen -W "0.5 5 forever" -- "$cur")
        return ;;
    --tls-min|--tls-max)
        mapfile -t COMPREPLY < <(compgen -W "1.0 1.1 1.2 1.3" -- "$cur")
        return ;;
    --alpn)
        mapfile -t COMPREPLY < <(compgen -W "h2 http/1.1 h2,http/1.1" -- "$cur")
        return ;;
    --ciphers)
        mapfile -t COMPREPLY < <(compgen -W "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384
            TLS_CHACHA20_POLY1305_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
            TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 TLS_PSK_WITH_AES_128_GCM_SHA256
            TLS_PSK_WITH_AES_256_GCM_SHA384" -- "$cur")
        return ;;
    --server-name)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
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
        -i|-o|-p|-q|-s|-w|-k|--input|--output|--source-port|--quit|--source|--timeout|--psk|--linger|--timeline-svg|\
        --ca|--cert|--key|--password-file|--server-name|--alpn|--tls-min|--tls-max|--ciphers)
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
