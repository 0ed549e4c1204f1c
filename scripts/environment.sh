# Sourced by the scripts beside it: makes .venv on first use and again whenever pyproject.toml changes.
# Needs Python 3.11 or newer and git, nothing else. Sets $root and $python.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

find_python() {
  local candidate
  for candidate in "${PERFMOD_PYTHON:-}" python3 python3.15 python3.14 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$candidate"; return; }
  done
  echo "perfmod needs Python 3.11 or newer; none was found on PATH. Set PERFMOD_PYTHON to one." >&2
  exit 2
}

# prepare FOLDER [--group NAME]: a virtual environment with perfmod (editable) and what a dependency group names.
# Where this Python is the one that requirements-NAME.lock was made with, exactly what the lock says, with its hashes.
prepare() {
  local folder=$1 lock="" stamp; shift
  if [ "${1:-}" = --group ] && [ -f "$root/requirements-$2.lock" ]; then lock="$root/requirements-$2.lock"; fi
  python="$folder/bin/python"
  stamp=$(cat "$root/pyproject.toml" ${lock:+"$lock"} | cksum)
  [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && return
  echo "perfmod: preparing $folder (first use or changed dependencies) ..." >&2
  local base; base=$(find_python) || exit 2
  "$base" -m venv "$folder" >&2 && install "$lock" "$@" >&2 || {
    echo "perfmod: could not prepare $folder; see the messages above" >&2
    exit 2
  }
  echo "$stamp" > "$folder/stamp"
}

install() {
  local lock=$1 pip=("$python" -m pip install --quiet --disable-pip-version-check); shift
  if [ -n "$lock" ] && grep -qxF "# $("$python" "$root/scripts/lock.py" --python)" "$lock"; then
    local log; log=$(mktemp)
    if "${pip[@]}" --require-hashes --requirement "$lock" 2> >(tee "$log"); then
      rm "$log"
      "${pip[@]}" --no-deps --no-build-isolation --editable "$root"
      return
    fi
    # A file that is another than the locked one is never installed; a version that is no longer to be had is replaced.
    grep -q "No matching distribution" "$log" && ! grep -q "DO NOT MATCH THE HASHES" "$log" || return
    echo "perfmod: $lock can't be had any more: installing what pyproject.toml allows; scripts/lock renews it"
    touch "$(dirname "$(dirname "$python")")/unlocked"
  fi
  "${pip[@]}" --upgrade 'pip>=25.1' && (cd "$root" && "${pip[@]}" --editable . "$@")
}
