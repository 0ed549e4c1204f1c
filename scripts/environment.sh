# Sourced by the scripts beside it: makes .venv on first use and again whenever pyproject.toml changes.
# Needs Python 3.11 or newer and git, nothing else. Sets $root and $python.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

find_python() {
  local candidate
  for candidate in "${PERFMOD_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$candidate"; return; }
  done
  echo "perfmod needs Python 3.11 or newer; none was found on PATH. Set PERFMOD_PYTHON to one." >&2
  exit 2
}

# prepare FOLDER EXTRAS...: a virtual environment with perfmod (editable) and the given dependency groups.
prepare() {
  local folder=$1 stamp; shift
  python="$folder/bin/python"
  stamp=$(cksum < "$root/pyproject.toml")
  [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && return
  echo "perfmod: preparing $folder (first use or changed dependencies) ..." >&2
  local base; base=$(find_python) || exit 2
  "$base" -m venv "$folder" >&2 &&
    "$python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' >&2 &&
    (cd "$root" && "$python" -m pip install --quiet --disable-pip-version-check --editable . "$@" >&2) || {
      echo "perfmod: could not prepare $folder; see the messages above" >&2
      exit 2
    }
  echo "$stamp" > "$folder/stamp"
}
