# Bash completion for edgesteerctl: verbs, options, and the names of sites and apps, as reported by the daemons that are
# asked (the array `asked`, of the function that calls the others).

_edgesteerctl_names() {
	local filter=$1
	# Names contain neither quotes nor spaces, so the reply can be parsed without a JSON parser.
	edgesteerctl "${asked[@]}" --json --timeout 2 "$filter" 2>/dev/null |
		grep -o '"name":"[^"]*"' | cut -d '"' -f 4 | awk '!seen[$0]++'
}

_edgesteerctl_targets() {
	edgesteerctl "${asked[@]}" --json --timeout 2 apps 2>/dev/null |
		grep -o -e '"name":"[^"]*"' -e '"site":"[^"]*","state"' |
		while IFS='"' read -r _ key _ value _; do
			if [ "$key" = name ]; then app=$value; else echo "$app/$value"; fi
		done | awk '!seen[$0]++'
}

# Regions, and carriers that alone reach some site.
_edgesteerctl_regions() {
	edgesteerctl "${asked[@]}" --json --timeout 2 sites 2>/dev/null |
		grep -o '"region":"[^"]*"' | cut -d '"' -f 4 | awk '!seen[$0]++'
}

_edgesteerctl_carriers() {
	edgesteerctl "${asked[@]}" --json --timeout 2 sites 2>/dev/null |
		grep -o '"reach":\[[^]]*\]' | sed 's/^"reach"//' | grep -o '"[^"]*"' | tr -d '"' | awk '!seen[$0]++'
}

# What is drained, in the words that undrain takes.
_edgesteerctl_drained() {
	edgesteerctl "${asked[@]}" --json --timeout 2 drains 2>/dev/null |
		grep -o -e '"site":"[^"]*","app":null' -e '"site":"[^"]*","app":"[^"]*"' |
		while IFS='"' read -r _ _ _ site _ _ _ app _; do echo "${app:+$app/}$site"; done | awk '!seen[$0]++'
}

# The groups of ctl.yaml, where it is written in lines.
_edgesteerctl_groups() {
	awk '/^[^ #]/ { below = /^groups:/; next }
	     below && match($0, /^ +/) { if (!depth) depth = RLENGTH
	                                 if (RLENGTH == depth && match($0, /[A-Za-z0-9_.-]+:/)) print substr($0, RSTART, RLENGTH - 1) }' \
		"${XDG_CONFIG_HOME:-$HOME/.config}/edgesteer/ctl.yaml" 2>/dev/null
}

# A site; once there is a slash, an app's.
_edgesteerctl_places() {
	if [[ $cur == */* ]]; then _edgesteerctl_targets; else _edgesteerctl_names sites; fi
}

_edgesteerctl() {
	local verbs="status check sites apps targets drain undrain drains force adopt report load vantages brake plan explain reload compare rollback sources discovery learned observe zones diff stats version help"
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb="" kind="" asked=() words=0 i options="--socket --group --ca-file --token-file --cert --key --json --timeout --help" choice=""

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | --socket | -g | --group | --ca-file | --token-file | --cert | --key) asked+=("${COMP_WORDS[i]}" "${COMP_WORDS[++i]}") ;;
		--app | --site | --region | --carrier | --at | --for | --until | --over | --reason | --by | --client | --source | --vantage | --ttl | --observed-at | --without | --timeout) ((i++)) ;;
		-*) ;;
		*) if [ -z "$verb" ]; then verb=${COMP_WORDS[i]}; elif ((words++ == 0)); then kind=${COMP_WORDS[i]}; fi ;;
		esac
	done

	case $prev in
	-s | --socket | --ca-file | --token-file | --cert | --key)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	case $prev/$cur in
	*/-*) ;;
	observe/* | compare/* | export/* | import/*)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	case $prev in
	--app) choice=$(_edgesteerctl_names apps) ;;
	--site | --without) choice=$(_edgesteerctl_names sites) ;;
	--region) choice=$(_edgesteerctl_regions) ;;
	--carrier) choice=$(_edgesteerctl_carriers) ;;
	-g | --group) choice=$(_edgesteerctl_groups) ;;
	--for) choice="30m 1h 2h 8h 1d" ;;
	--over) choice="5m 10m 30m 1h" ;;
	--ttl) choice="10s 30s 1m 5m" ;;
	--at | --until | --reason | --by | --client | --source | --vantage | --observed-at | --timeout) return ;;
	*)
		case $verb in
		apps) options+=" --site" ;;
		drain) options+=" --app --region --carrier --at --for --until --over --reason --by --volatile --force --dry-run --wait" ;;
		undrain) options+=" --app --region --carrier --over --by --volatile --dry-run --wait" ;;
		plan)
			case $kind in
			drain) options+=" --app --region --carrier --at --for --until --over --reason --by --volatile --force" ;;
			undrain) options+=" --app --region --carrier --over --by --volatile" ;;
			force) options+=" --reason --by" ;;
			esac
			;;
		drains) options+=" --ended" ;;
		force) options+=" --reason --by --dry-run" ;;
		rollback) options+=" --reason --by" ;;
		adopt) options+=" --over --reason --by --end" ;;
		compare) options+=" --app --weights" ;;
		report) options+=" --vantage --carrier --ttl --observed-at" ;;
		load) options+=" --app --ttl" ;;
		explain) options+=" --client --without" ;;
		reload) options+=" --force --check" ;;
		discovery) options+=" --apply" ;;
		learned)
			case $kind in
			forget) options+=" --all" ;;
			export) options+=" --site --source" ;;
			import) options+=" --dry-run" ;;
			*) options+=" --app --site --source" ;;
			esac
			;;
		esac
		if [[ $cur == -* ]]; then
			[ -n "$verb" ] || options+=" --version"
			choice=$options
		elif [ -z "$verb" ]; then
			choice=$verbs
		else
			case $verb/$words in
			sites/0) choice=$(_edgesteerctl_names sites) ;;
			drain/0 | load/0) choice=$(_edgesteerctl_places) ;;
			undrain/0) choice=$(_edgesteerctl_drained) ;;
			zones/0) choice=$(_edgesteerctl_names zones) ;;
			apps/0 | check/0 | targets/0 | explain/0 | adopt/0) choice=$(_edgesteerctl_names apps) ;;
			report/1) choice="up down" ;;
			brake/0) choice=release ;;
			discovery/0) choice=register ;;
			plan/0) choice="drain undrain force" ;;
			plan/1)
				case $kind in
				drain) choice=$(_edgesteerctl_places) ;;
				undrain) choice=$(_edgesteerctl_drained) ;;
				force) choice=$(_edgesteerctl_targets) ;;
				esac
				;;
			force/0 | report/0) choice=$(_edgesteerctl_targets) ;;
			force/1) choice="up down auto" ;;
			plan/2) [ "$kind" != force ] || choice="up down auto" ;;
			learned/0) choice="forget export import" ;;
			help/0) choice=$verbs ;;
			esac
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choice" -- "$cur")
}

complete -F _edgesteerctl edgesteerctl
