# Bash completion for edgesteerd: its options.

_edgesteerd() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local choice="--config --test --carriers --export-state --plugins --print-manual --print-schema --version --help"

	case $prev in
	-c | --config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--resolver | --port) return ;;
	esac
	case " ${COMP_WORDS[*]} " in
	*" --online "*) choice="--config --json --resolver --port" ;;
	*" -t "* | *" --test "*) choice="--config --online" ;;
	esac
	[[ $cur != -* ]] || mapfile -t COMPREPLY < <(compgen -W "$choice" -- "$cur")
}

complete -F _edgesteerd edgesteerd
