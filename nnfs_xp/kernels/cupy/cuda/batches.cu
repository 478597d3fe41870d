// Batches from data on the device.
//
// gather_batch   nnfs_xp/engine/batching.py: gather_batch
// rescaled       nnfs_xp/engine/batching.py: rescaled

// Which rows of the data are those of the batch.
struct Rows {
  const void* order;  // numbers of rows, of `order_bytes` each; without, a ring
  int order_bytes;
  int64 start, n_rows;

  __device__ int64 at(int64 i) const {
    if (order_bytes) return integer_at(order, order_bytes, start + i);
    return (start + i) % n_rows;
  }
};

// Copies rows of `units` words each.
template <class Word>
__device__ void copy_rows(const Rows& rows, const void* from, void* to, int64 count,
                          int64 units) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    uint32 row = (uint32)i / (uint32)units, column = (uint32)i % (uint32)units;
    ((Word*)to)[i] = ((const Word*)from)[rows.at(row) * units + column];
  }
}

__device__ inline void copy_rows_of(const Rows& rows, const void* from, void* to,
                                    int64 count, int64 units, int unit_bytes) {
  switch (unit_bytes) {
    case 1: return copy_rows<unsigned char>(rows, from, to, count, units);
    case 2: return copy_rows<unsigned short>(rows, from, to, count, units);
    case 4: return copy_rows<uint32>(rows, from, to, count, units);
    case 8: return copy_rows<uint64>(rows, from, to, count, units);
  }
}

// Where an array is. If there is a table, the argument says where its address is.
__device__ inline const void* found(const void* place, const uint64* table) {
  return table && place ? *(const void* const*)place : place;
}

// The samples become REAL and x * scale + offset; targets and weights are copied as
// they are. A `count` is how many values, or units of a copy, the batch has, below
// 2^32, as a division of 64 bits takes several times as long. A table begins with the
// number of rows.
extern "C" __global__ void gather_batch(
    const uint64* table, const void* order, int order_bytes, int64 start_on_host,
    const void* start_on_device, int start_bytes, int64 n_rows, const void* x,
    int x_type, REAL* __restrict__ x_out, int64 x_count, int64 x_units, bool rescale,
    REAL scale, REAL offset, const void* y, void* y_out, int64 y_count, int64 y_units,
    int y_bytes, const void* weight, void* weight_out, int64 weight_count,
    int weight_bytes) {
  int64 start = host_or_device(start_on_host, start_on_device, start_bytes);
  if (table) n_rows = table[0];
  x = found(x, table);
  y = found(y, table);
  weight = found(weight, table);
  Rows rows{found(order, table), order_bytes, start, n_rows};
  with_source(x, x_type, [&](auto source) {
    for (int64 i = first_of_thread(); i < x_count; i += stride_of_grid()) {
      uint32 row = (uint32)i / (uint32)x_units, column = (uint32)i % (uint32)x_units;
      REAL value = REAL(source[rows.at(row) * x_units + column]);
      x_out[i] = rescale ? value * scale + offset : value;
    }
  });
  copy_rows_of(rows, y, y_out, y_count, y_units, y_bytes);
  copy_rows_of(rows, weight, weight_out, weight_count, 1, weight_bytes);
}

extern "C" __global__ void rescaled(const void* x, int x_type, REAL* __restrict__ y,
                                    int64 count, REAL scale, REAL offset) {
  with_source(x, x_type, [&](auto source) {
    for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
      y[i] = REAL(source[i]) * scale + offset;
    }
  });
}
