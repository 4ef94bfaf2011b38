# Completion of nwcert for bash: commands, options, kinds of key, files.
_nwcert() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} word command=
    local options="-d -f -h -k -o --ca --ca-key --cn --days --dir --expired --force --from --help --json --key
        --no-san --out --p12 --path-length --san --until --version --host --client --at"
    COMPREPLY=()
    case $prev in
    -k|--key)
        mapfile -t COMPREPLY < <(compgen -W "p256 p384 p521 ed25519 rsa2048 rsa3072 rsa4096" -- "$cur")
        return ;;
    -d|--dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return ;;
    --ca|--ca-key|--p12)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    -o|--out|--cn|--days|--from|--until|--path-length|--san|--host|--at)
        return ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        ca|server|client|set|show|verify) command=$word; break ;;
        esac
    done
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    elif [[ -z $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W "ca server client set show verify" -- "$cur")
    elif [[ $command == show || $command == verify ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
    fi
}
complete -o filenames -F _nwcert nwcert
