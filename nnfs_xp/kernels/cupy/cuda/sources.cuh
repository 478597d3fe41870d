// Numbers of any type of NumPy's, read as REAL.

// IEEE half precision, of which only the bits are at hand.
struct Half {
  unsigned short bits;

  __device__ operator REAL() const {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    REAL sign = bits >> 15 ? -1 : 1;
    if (exponent == 0) return sign * ldexp(REAL(fraction), -24);
    if (exponent == 31) {
      return fraction ? infinity() - infinity() : sign * infinity();
    }
    return sign * ldexp(REAL(1024 + fraction), exponent - 25);
  }
};

// Calls `use` with the values as an array of their type. The numbers of the types are
// those of nnfs_xp/kernels/cupy/launch.py.
template <class Use>
__device__ void with_source(const void* values, int type, Use use) {
  switch (type) {
    case 0: return use((const bool*)values);
    case 1: return use((const signed char*)values);
    case 2: return use((const unsigned char*)values);
    case 3: return use((const short*)values);
    case 4: return use((const unsigned short*)values);
    case 5: return use((const int*)values);
    case 6: return use((const unsigned int*)values);
    case 7: return use((const int64*)values);
    case 8: return use((const uint64*)values);
    case 9: return use((const Half*)values);
    case 10: return use((const float*)values);
    case 11: return use((const double*)values);
  }
}
