# resume.sh CNNC FILE DIR ARGUMENTS...: compiles FILE for a GPU, then its dump of each phase, and compares.
set -e
cnnc=$1; file=$2; folder=$3; shift 3
mkdir -p $folder
$cnnc $file --target=nvptx "$@" -o $folder/direct.ptx
$cnnc $file --target=nvptx "$@" -o $folder/again.ptx
cmp $folder/direct.ptx $folder/again.ptx
for phase in cnn grad fused scheduled planned gpu nvvm; do
  $cnnc $file --target=nvptx "$@" --emit=$phase -o $folder/$phase.mlir
  grep -q "cnn.phase = \"$phase\"" $folder/$phase.mlir
  $cnnc $folder/$phase.mlir -o $folder/$phase.ptx
  cmp $folder/direct.ptx $folder/$phase.ptx || { echo "phase $phase differs"; exit 1; }
  cmp $folder/direct.json $folder/$phase.json || { echo "the manifest of phase $phase differs"; exit 1; }
done
