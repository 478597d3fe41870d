// Elementwise activations, each as in nnfs_xp/activations: `value(x)`, and
// `gradient(kept, dy)` from what is kept of the forward pass. That is the output
// where it tells the slope (`from_output`), else the input x.

__device__ inline REAL sigmoid(REAL x) {
  REAL e = exp(-fabs(x));  // at most 1
  return (x >= 0 ? REAL(1) : e) / (1 + e);
}

struct Linear {
  static constexpr bool from_output = true;
  __device__ REAL value(REAL x) const { return x; }
  __device__ REAL gradient(REAL, REAL dy) const { return dy; }
};

struct ReLU {
  static constexpr bool from_output = true;
  __device__ REAL value(REAL x) const { return larger(x, 0); }
  // No product: the gradient of a dead unit is 0 also where dy is infinite.
  __device__ REAL gradient(REAL y, REAL dy) const { return y > 0 ? dy : REAL(0); }
};

struct LeakyReLU {
  static constexpr bool from_output = false;
  REAL left;  // slope left of 0
  __device__ REAL value(REAL x) const {
    return left <= 1 ? larger(x, left * x) : smaller(x, left * x);
  }
  __device__ REAL gradient(REAL x, REAL dy) const { return (x > 0 ? 1 : left) * dy; }
};

struct ELU {
  static constexpr bool from_output = false;
  REAL alpha;
  __device__ REAL left_of_0(REAL x) const { return alpha * expm1(smaller(x, 0)); }
  __device__ REAL value(REAL x) const { return larger(x, 0) + left_of_0(x); }
  __device__ REAL gradient(REAL x, REAL dy) const {
    return ((x > 0 ? 1 : alpha) + left_of_0(x)) * dy;
  }
};

// x P(x), with P the normal distribution, as max(x, 0) - a P(-a) with a = |x|.
struct GELU {
  static constexpr bool from_output = false;
  // From here on P(-a) is 0 in both precisions; infinity times 0 would be NaN.
  __device__ static REAL distance(REAL x) { return smaller(fabs(x), 40); }
  __device__ static REAL tail(REAL a) {
    return REAL(0.5) * erfc(a * REAL(0.70710678118654752));
  }
  __device__ REAL value(REAL x) const {
    REAL a = distance(x);
    return larger(x, 0) - a * tail(a);
  }
  __device__ REAL gradient(REAL x, REAL dy) const {
    REAL a = distance(x);
    REAL bell = REAL(0.39894228040143268) * exp(REAL(-0.5) * a * a);
    REAL left = tail(a) - a * bell;
    return (x > 0 ? 1 - left : left) * dy;
  }
};

// x s(2 u(x)) with s the sigmoid and u = sqrt(2 / pi) (x + 0.044715 x^3).
struct GELUTanh {
  static constexpr bool from_output = false;
  static constexpr REAL factor = 1.5957691216057308;  // sqrt(8 / pi)
  static constexpr REAL cubic = 0.044715;
  __device__ static REAL near(REAL x) { return smaller(larger(x, -40), 40); }
  __device__ static REAL share(REAL x) {
    return sigmoid(factor * x * (1 + cubic * x * x));
  }
  __device__ REAL value(REAL x) const { return larger(x, -40) * share(near(x)); }
  __device__ REAL gradient(REAL x, REAL dy) const {
    x = near(x);
    REAL s = share(x);
    REAL slope = factor * (1 + 3 * cubic * x * x);
    return s * (1 + x * slope * (1 - s)) * dy;
  }
};

struct SiLU {
  static constexpr bool from_output = false;
  // Infinity times a sigmoid of 0 would be NaN.
  __device__ REAL value(REAL x) const { return larger(x, -1000) * sigmoid(x); }
  __device__ REAL gradient(REAL x, REAL dy) const {
    REAL s = sigmoid(x);
    return (s + smaller(value(x), 1000) * (1 - s)) * dy;
  }
};

struct Softplus {
  static constexpr bool from_output = false;
  __device__ REAL value(REAL x) const {
    return larger(x, 0) + log1p(exp(-fabs(x)));
  }
  __device__ REAL gradient(REAL x, REAL dy) const { return sigmoid(x) * dy; }
};

struct Sigmoid {
  static constexpr bool from_output = true;
  __device__ REAL value(REAL x) const { return sigmoid(x); }
  // As at_least_tiny in nnfs_xp/special.py: the loss after it divides by y or 1 - y.
  __device__ REAL gradient(REAL y, REAL dy) const {
    return larger((1 - y) * y, sizeof(REAL) == 4 ? REAL(0x1p-103) : REAL(0x1p-970)) * dy;
  }
};

struct Tanh {
  static constexpr bool from_output = true;
  __device__ REAL value(REAL x) const { return tanh(x); }
  __device__ REAL gradient(REAL y, REAL dy) const { return (1 - y * y) * dy; }
};

// Calls `use` with an activation by its number, that of
// nnfs_xp/kernels/cupy/activations.py. All threads choose the same one, once.
template <class Use>
__device__ void with_activation(int number, REAL parameter, Use use) {
  switch (number) {
    case 0: return use(Linear{});
    case 1: return use(ReLU{});
    case 2: return use(LeakyReLU{parameter});
    case 3: return use(ELU{parameter});
    case 4: return use(GELU{});
    case 5: return use(GELUTanh{});
    case 6: return use(SiLU{});
    case 7: return use(Softplus{});
    case 8: return use(Sigmoid{});
    case 9: return use(Tanh{});
  }
}
