// Several arrays copied at once.
//
// copy_arrays   nnfs_xp/engine/copies.py: copy_arrays

struct Copy {
  const REAL* from;
  REAL* to;
  int64 count;
};

struct Copies {
  Copy copy[24];
};

// blockIdx.y is the number of the copy.
extern "C" __global__ void copy_arrays(Copies copies) {
  Copy own = copies.copy[blockIdx.y];
  for (int64 i = first_of_thread(); i < own.count; i += stride_of_grid()) {
    own.to[i] = own.from[i];
  }
}
