#!/usr/bin/env bash
# Builds IMAGE, a stand-in for python:3.13-slim on a machine without access to an image registry. It
# contains the machine's own Python 3.13, its shared libraries, a shell, and the commands that the
# Dockerfile runs.
#
#   standin_base.sh IMAGE PYTHON
set -euo pipefail
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
image=$1
python=$2
tree=$(mktemp -d)
container=''
cleanup() {
  rm -rf "$tree"
  [[ -z $container ]] || buildah rm "$container" >/dev/null
}
trap cleanup EXIT

libraries() { # libraries FILE...: prints the paths of the shared libraries that the files load
  ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ "^/" {print $3} $1 ~ "^/" && $2 ~ "^[(]" {print $1}' | sort -u
}

prefix=$("$python" -I -c 'import sys; print(sys.base_prefix)')
mkdir -p "$tree"/{bin,etc,proc,sys,dev,tmp,root,usr/local/bin,usr/local/lib}
chmod 1777 "$tree/tmp"
cp "$prefix/bin/python3.13" "$tree/usr/local/bin/"
ln -s python3.13 "$tree/usr/local/bin/python3"
tar --create --directory="$prefix/lib" --exclude='site-packages/*' --exclude='test' --exclude='idlelib' \
  --exclude='config-*' --exclude='__pycache__' python3.13 | tar --extract --directory="$tree/usr/local/lib"
cp "$(command -v dash || command -v sh)" "$tree/bin/sh"
cp "$(command -v rm)" "$(command -v env)" "$tree/bin/"
{
  libraries "$tree"/bin/* "$prefix/bin/python3.13" "$prefix"/lib/python3.13/lib-dynload/*.so
  # All C and C++ libraries of Debian's base image, because compiled wheels expect them.
  PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
    awk '$1 ~ "^lib(c|dl|gcc_s|m|nss_dns|nss_files|pthread|resolv|rt|stdc[+][+]|util)[.]so[.]" {print $NF}'
} |
  while IFS= read -r library; do
    mkdir -p "$tree$(dirname "$library")"
    cp -L "$library" "$tree$library"
  done
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$tree/etc/passwd"

container=$(buildah from scratch)
buildah add --quiet "$container" "$tree" / >/dev/null
buildah config --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
buildah commit --quiet --format docker "$container" "$image" >/dev/null
