# Sourced by test/run and examples/run: checks the machine, installs what is missing, builds.
#
# in:  the repository this file lies in; test/packages.txt; CNNC_BUILD_DIR (default: build),
#      CNNC_LLVM_PREFIX (default: Debian's), CNNC_OS_RELEASE (default: /etc/os-release)
# out: Debian packages (only missing ones, only when needed), a configured and built tree
# Every function that cannot go on says why and what to do, and ends the script with status 2.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
buildDir=${CNNC_BUILD_DIR:-$repo/build}
llvmPrefix=${CNNC_LLVM_PREFIX:-/usr/lib/llvm-22}
llvmMajor=22
osRelease=${CNNC_OS_RELEASE:-/etc/os-release}
jobs=$(nproc)

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf 'hint: %s\n' "$line" >&2; done
  exit 2
}

# The packages of test/packages.txt that are not installed, on one line.
missingPackages() {
  local name
  sed 's/#.*//' "$repo/test/packages.txt" | while read -r name; do
    [ -n "$name" ] || continue
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      printf '%s ' "$name"
  done
}

# Dies unless $llvmPrefix holds LLVM and MLIR of the version this project is written for.
checkLlvm() {
  local version
  [ -x "$llvmPrefix/bin/llvm-config" ] ||
    die "no LLVM $llvmMajor in $llvmPrefix" \
      "set CNNC_LLVM_PREFIX to the prefix of an LLVM/MLIR $llvmMajor, or use Debian 12"
  version=$("$llvmPrefix/bin/llvm-config" --version)
  [ "${version%%.*}" = "$llvmMajor" ] ||
    die "$llvmPrefix holds LLVM $version; this needs LLVM $llvmMajor" \
      "set CNNC_LLVM_PREFIX to the prefix of an LLVM/MLIR $llvmMajor"
  [ -f "$llvmPrefix/lib/cmake/mlir/MLIRConfig.cmake" ] ||
    die "LLVM $version in $llvmPrefix comes without MLIR" \
      "on Debian: apt-get install libmlir-$llvmMajor-dev mlir-$llvmMajor-tools"
}

# Installs what is missing. Another distribution is fine as long as LLVM is there already.
installPackages() {
  local id= version= missing candidate name
  if [ -r "$osRelease" ]; then
    id=$(. "$osRelease" && echo "${ID:-}")
    version=$(. "$osRelease" && echo "${VERSION_ID:-}")
  fi
  if [ "$id" != debian ] || [ "$version" != 12 ]; then
    say "This is ${id:-an unknown system} ${version:-}, not Debian 12: nothing is installed here."
    [ -x "$llvmPrefix/bin/llvm-config" ] ||
      die "packages are known for Debian 12 only, and there is no LLVM $llvmMajor in $llvmPrefix" \
        "install the like of test/packages.txt and set CNNC_LLVM_PREFIX to LLVM's prefix" \
        "or open the folder in the container of .devcontainer/"
    checkLlvm
    return
  fi
  missing=$(missingPackages)
  if [ -n "$missing" ]; then
    say "Missing packages: $missing"
    [ "$(id -u)" = 0 ] ||
      die "installing packages needs root" "sudo apt-get install $missing" "then run this again"
    say "Updating the package lists ..."
    # apt-get update succeeds with a warning when no server answers; any fetch failure counts.
    if ! DEBIAN_FRONTEND=noninteractive apt-get update -o APT::Update::Error-Mode=any \
      >"$logDir/apt-update.log" 2>&1; then
      grep -E '^(Err|E|W):' "$logDir/apt-update.log" | head -5 >&2
      # An unrelated source may be broken: go on if every missing package can be had.
      say "Not every package source answered."
    fi
    for name in $missing; do
      candidate=$(apt-cache policy "$name" | sed -n 's/^ *Candidate: //p')
      if [ -z "$candidate" ] || [ "$candidate" = '(none)' ]; then
        die "package $name is in none of this machine's package sources" \
          "LLVM $llvmMajor comes with Debian 12's security updates: apt's sources must list both" \
          "the suites bookworm and bookworm-security, component main" \
          "if they do, the network or a proxy is in the way: see $logDir/apt-update.log"
      fi
    done
    say "Installing them ..."
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing \
      >"$logDir/apt-install.log" 2>&1; then
      tail -5 "$logDir/apt-install.log" >&2
      die "apt-get could not install the packages (network, disk, or a held package)" \
        "the whole output is in $logDir/apt-install.log"
    fi
  fi
  checkLlvm
}

# checkRoom DISK_GB MEMORY_GB: dies when the disk is too small, warns when memory is.
checkRoom() {
  local disk memory
  disk=$(df -Pk "$repo" | awk 'NR == 2 { print int($4 / 1048576) }')
  memory=$(awk '/^MemAvailable/ { print int($2 / 1048576 + 0.5) }' /proc/meminfo)
  say "Here: $disk GB of disk free, $memory GB of memory free, $jobs cores."
  [ "$disk" -ge "$1" ] || die "this needs $1 GB of free disk; $disk GB are free in $repo"
  [ "$memory" -ge "$2" ] ||
    say "warning: $2 GB of memory are needed for $jobs compilers at once; $memory GB are free"
}

# build PRESET DIR TARGET...: configures DIR (again only when needed) and builds the targets.
build() {
  local preset=$1 dir=$2
  shift 2
  export CCACHE_BASEDIR=$repo CCACHE_NOHASHDIR=1
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
  if [ ! -f "$dir/build.ninja" ]; then
    say "Configuring ($preset) in $dir ..."
    if ! cmake --preset "$preset" -S "$repo" -B "$dir" \
      -DMLIR_DIR="$llvmPrefix/lib/cmake/mlir" >"$logDir/configure-$preset.log" 2>&1; then
      tail -20 "$logDir/configure-$preset.log" >&2
      die "cmake failed" "the whole output is in $logDir/configure-$preset.log"
    fi
  fi
  say "Building ($preset): $*"
  if [ -t 1 ]; then
    ninja -C "$dir" "$@" || die "the build failed"
  else
    # Without a terminal ninja prints a line per file; keep it out of the way unless it fails.
    ninja -C "$dir" "$@" >"$logDir/build-$preset.log" 2>&1 || {
      grep -E -A12 'error:|FAILED:|undefined reference|ninja: error' "$logDir/build-$preset.log" |
        head -80 >&2
      die "the build failed" "the whole output is in $logDir/build-$preset.log"
    }
  fi
}

logDir=$buildDir/log
mkdir -p "$logDir" 2>/dev/null || die "cannot write to $buildDir" "check who owns the folder"
