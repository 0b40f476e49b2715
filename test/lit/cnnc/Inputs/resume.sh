# resume.sh CNNC FILE DIR ARGUMENTS...: compiles FILE, then its dump of each phase, and compares.
set -e
cnnc=$1; file=$2; folder=$3; shift 3
mkdir -p $folder
$cnnc $file "$@" -o $folder/direct.o
$cnnc $file "$@" -o $folder/again.o
cmp $folder/direct.o $folder/again.o
for phase in cnn grad fused scheduled planned tiled vector llvm; do
  $cnnc $file "$@" --emit=$phase -o $folder/$phase.mlir
  grep -q "cnn.phase = \"$phase\"" $folder/$phase.mlir
  $cnnc $folder/$phase.mlir "$@" -o $folder/$phase.o
  cmp $folder/direct.o $folder/$phase.o || { echo "phase $phase differs"; exit 1; }
done
