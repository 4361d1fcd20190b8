# Builds programs from published Go modules; to be sourced by the scripts that say which.
#
#   build_go_programs <module> <name> <what> <minutes> <program>...
#
#     module    the directory of the go.mod that pins everything
#     name      of the cache: the programs live outside the checkout, in
#               ${XDG_CACHE_HOME:-~/.cache}/keyturn/<name>/<hash of go.mod and go.sum>, so every clone
#               on a machine shares them. That directory appears by one rename, when all programs are
#               there: whoever sees it can use it.
#     what      is built, for messages: "the Kubernetes v1.2.3 control plane"
#     minutes   that the first build takes
#     program   what to build, in this order
#
# It prints, as the last line of stdout, the directory that holds the programs. Everything else goes to
# stderr. With KEYTURN_CACHED_ONLY set it builds nothing, and fails where they are not there. The
# script that calls it defines two functions:
#
#   package_of <program>    prints the Go package of its main
#   ldflags                 prints what the linker is told, beside leaving out symbols

readonly oldest_go_minor=26

say() { printf '%s\n' "$*" >&2; }

# The version of a dependency as the go.mod of a module names it.
version_in() {
  local version
  version=$(awk -v path="$2" '{ sub(/^require[ \t]+/, "") } $1 == path && $2 ~ /^v[0-9]/ { print $2; exit }' "$1/go.mod")
  if [[ -z $version ]]; then
    say "$1/go.mod names no version of $2."
    return 1
  fi
  echo "$version"
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi
}

complete() {
  local directory=$1 program
  shift
  for program in "$@"; do
    [[ -x $directory/$program ]] || return 1
  done
}

elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }

work='' child='' lock_link=''

# Runs on every exit, also after Ctrl-C: nothing half-built stays, and no compiler goes on alone.
clean_up() {
  [[ -z $child ]] || { kill "$child" 2>/dev/null && wait "$child" 2>/dev/null; } || true
  [[ -z $work ]] || rm -rf "$work"
  [[ -z $lock_link ]] || rm -f "$lock_link"
}

build_go_programs() {
  local module=$1 name=$2 what=$3 minutes=$4
  shift 4
  local programs=("$@") hash cache target go_version owner flags program number status

  hash=$(cat "$module/go.mod" "$module/go.sum" | sha256)
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/keyturn/$name
  target=$cache/${hash:0:16}

  if complete "$target" "${programs[@]}"; then
    echo "$target"
    return
  fi

  # Whoever can do without it asks only what is there.
  if [[ -n ${KEYTURN_CACHED_ONLY:-} ]]; then
    say "$what is not built on this machine."
    exit 1
  fi
  if ! command -v go >/dev/null 2>&1; then
    say "Building $what needs Go 1.$oldest_go_minor or newer on the PATH: install it from your package manager or https://go.dev/dl."
    exit 1
  fi
  # A newer toolchain is never fetched behind the user's back, and flags or a workspace of the user's
  # do not change what is built.
  export GOTOOLCHAIN=local GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false'
  unset GOOS GOARCH
  go_version=$(go version)
  if [[ $go_version =~ go1\.([0-9]+) && ${BASH_REMATCH[1]} -lt $oldest_go_minor ]]; then
    say "Building $what needs Go 1.$oldest_go_minor or newer, and this is ${go_version#go version }: install a newer one from your package manager or https://go.dev/dl."
    exit 1
  fi

  mkdir -p "$cache"
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM

  # One build at a time. The kernel drops a flock with its process, however that ends; where there is
  # no flock (macOS), a link to the owner's pid serves, and the lock of a dead owner is broken.
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$cache/.lock"
    if ! flock -n 9; then
      say "another build of $what is running: waiting for it …"
      flock 9 &
      child=$!
      wait "$child"
      child=''
    fi
  else
    until ln -s $$ "$cache/.lock.pid" 2>/dev/null; do
      owner=$(readlink "$cache/.lock.pid" || true)
      if [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; then rm -f "$cache/.lock.pid"; else sleep 1; fi
    done
    lock_link=$cache/.lock.pid
  fi

  if complete "$target" "${programs[@]}"; then
    echo "$target"
    return
  fi

  # We hold the lock, so whatever lies here was left by a build that was killed.
  rm -rf "$cache"/.building.*
  work=$(mktemp -d "$cache/.building.XXXXXX")

  flags="-s -w $(ldflags)"
  say "Building $what into $target; the first time this takes about $minutes minutes."
  SECONDS=0
  number=0
  for program in "${programs[@]}"; do
    number=$((number + 1))
    say "[$(elapsed)] building $program ($number of ${#programs[@]}) …"
    # In the background, because bash runs a trap only between commands; without the lock's descriptor,
    # because a compiler that outlives us must not keep it.
    (cd "$module" && exec go build -trimpath -ldflags "$flags" -o "$work/$program" "$(package_of "$program")") \
      >"$work/log" 2>&1 9>&- &
    child=$!
    status=0
    wait "$child" || status=$?
    child=''
    if [[ $status -ne 0 ]]; then
      tail -n 40 "$work/log" >&2
      say "$program did not build; the lines above are Go's."
      exit 1
    fi
  done
  rm -f "$work/log"
  chmod 755 "$work"

  rm -rf "$target" # only ever something incomplete: a program was deleted from it
  mv "$work" "$target"
  work=''
  say "[$(elapsed)] done."
  echo "$target"
}
