# networks.sh CNNC EXAMPLES FOLDER ARCH: compiles every recipe of the examples for a GPU, and lists the files.
set -e
cnnc=$1; examples=$2; folder=$3; arch=$4
mkdir -p $folder
# A recipe names its net; of a net without one, the entry point infer.
for file in $(grep -lE '^train ' $examples/*/*.cnn); do
  for recipe in $(sed -nE 's/^train ([a-z0-9_]+) .*/\1/p' $file); do
    net=$(sed -nE "s/^train $recipe = ([a-z0-9_]+).*/\1/p" $file)
    name=$(basename $file .cnn)-$recipe
    $cnnc $file --target=nvptx -mcpu=$arch --mode train --net $net --recipe $recipe -o $folder/$name.ptx
    echo $folder/$name.ptx
  done
done
