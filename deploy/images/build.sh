#!/usr/bin/env bash
# Builds the images of operator and agent with buildah from what `make build` left, and writes
# archives that `ctr images import` takes. The same input gives the same layers.
#
#   build.sh FOLDER     where operator.tar and agent.tar go
#   IMAGES              which to build (default: "operator agent"; there is also agent-clang)
#   BASE_IMAGE          another base image; pulled if need be (default: the one of base.sh)
#   TOKENBUCKET_CACHE   where base images and buildah's storage are kept
set -euo pipefail
folder=$(realpath -m "${1:?which folder}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
cache=${TOKENBUCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenbucket}/images
[ "$(id -u)" -eq 0 ] || { echo "buildah needs root here: a build mounts and changes root" >&2; exit 1; }

version=$("$root/bin/tb" --version | sed 's/^tb //')
revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
# the time of all files in the layers; the build's own, as Maven's archives have
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(date -d "$(sed -n 's:.*<project.build.outputTimestamp>\(.*\)</.*:\1:p' "$root/pom.xml")" +%s)

buildah() {
    command buildah --root "$cache/storage" --runroot "$cache/run" --storage-driver overlay "$@"
}

base=${BASE_IMAGE:-}
pull=--pull
if [ -z "$base" ]; then
    archive=$("$here/base.sh")
    base=localhost/tokenbucket/$(basename "$archive" .tar)
    pull=--pull-never
fi
mkdir -p "$cache" "$folder"
exec 9>"$cache/.lock"
flock 9   # one storage, one build at a time
if [ "$pull" = --pull-never ] && ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    container=$(buildah from scratch)
    buildah add -q "$container" "$archive" / >/dev/null
    buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    buildah commit -q --rm --timestamp "$SOURCE_DATE_EPOCH" "$container" "$base" >/dev/null
fi

# what class-data.sh needs to make the same archive each time
steady=(--cap-add CAP_SYS_NICE --security-opt seccomp=unconfined)
for image in ${IMAGES:-operator agent}; do
    name=localhost/tokenbucket/$image:$version
    buildah bud -q --target "$image" --isolation chroot "${steady[@]}" "$pull" --timestamp "$SOURCE_DATE_EPOCH" \
        --build-arg BASE_IMAGE="$base" --build-arg VERSION="$version" --build-arg REVISION="$revision" \
        --build-arg SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
        --tag "$name" --file "$root/Dockerfile" "$root" >/dev/null
    rm -f "$folder/$image.tar"
    buildah push -q "$name" "docker-archive:$folder/$image.tar:$name"
    echo "$name in $folder/$image.tar"
done
buildah rmi --prune >/dev/null 2>&1 || true   # what the stages left
