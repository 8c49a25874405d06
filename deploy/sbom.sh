#!/usr/bin/env bash
# Writes a CycloneDX bill of materials of all libraries, checks their licences against
# deploy/licences.allowed, and, where `make images` has built them, writes a bill of each image: its
# Debian packages and the libraries that it holds.
#
#   sbom.sh FOLDER      where bom.json, operator.json and agent.json go
#   TOKENBUCKET_CACHE   as for deploy/images/build.sh
set -euo pipefail
folder=$(realpath -m "${1:?which folder}")
root=$(cd "$(dirname "$0")/.." && pwd)
storage=${TOKENBUCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenbucket}/images
mkdir -p "$folder"

mvn -B -ntp -q -f "$root/pom.xml" org.cyclonedx:cyclonedx-maven-plugin:2.9.3:makeAggregateBom \
    -DoutputDirectory="$folder" -DoutputName=bom -DoutputFormat=json -DprojectType=application \
    -DincludeTestScope=false -Dcyclonedx.skipNotDeployed=false

allowed=$(grep -v '^#' "$root/deploy/licences.allowed")
refused=$(jq -r --arg allowed "$allowed" '
    ($allowed | split("\n")) as $allowed
    | .components[]
    | .purl as $purl
    | [.licenses[]? | .license.id // .license.name // .expression] as $licences
    | select(any($licences[]; . as $one | any($allowed[]; . == $one)) | not)
    | select(any($allowed[]; startswith("pkg:") and (. as $prefix | $purl | startswith($prefix))) | not)
    | "\($purl): \(if $licences == [] then "no licence" else ($licences | join(", ")) end)"' "$folder/bom.json")
if [ -n "$refused" ]; then
    echo "licences that deploy/licences.allowed does not name; add them there, or use another library:" >&2
    echo "$refused" >&2
    exit 1
fi
echo "$folder/bom.json: $(jq '.components | length' "$folder/bom.json") libraries, all under allowed licences"

buildah() {
    command buildah --root "$storage/storage" --runroot "$storage/run" --storage-driver overlay "$@"
}

bill_of() {
    local image=$1 name=$2 container files packages jars
    container=$(buildah from --pull-never "$name")
    trap 'buildah rm "$container" >/dev/null' RETURN
    files=$(buildah mount "$container")
    packages=$(dpkg-query --admindir="$files/var/lib/dpkg" -W -f='${Package}\t${Version}\t${Architecture}\n')
    jars=$(find "$files/opt/tokenbucket" -name '*.jar' -printf '%f\n')
    jq --arg image "$name" --arg packages "$packages" --arg jars "$jars" '
        ($jars | split("\n")) as $jars
        | .metadata.component = {type: "container", name: $image}
        | .components = (
            [.components[] | select("\(.name)-\(.version).jar" as $short
              | any($jars[]; . == $short or endswith("." + $short)))]
            + [$packages | split("\n")[] | select(. != "") | split("\t")
               | {type: "library", name: .[0], version: .[1],
                  purl: "pkg:deb/debian/\(.[0])@\(.[1] | @uri)?arch=\(.[2])"}])
        | .dependencies = []' "$folder/bom.json" >"$folder/$image.json"
    echo "$folder/$image.json: $(jq '.components | length' "$folder/$image.json") packages and libraries of $name"
}

[ -d "$storage/storage" ] && command -v buildah >/dev/null && [ "$(id -u)" -eq 0 ] || exit 0
version=$("$root/bin/tb" --version | sed 's/^tb //')
for image in operator agent; do
    name=localhost/tokenbucket/$image:$version
    ! buildah inspect --type image "$name" >/dev/null 2>&1 || bill_of "$image" "$name"
done
