// One step of each optimizer, in one pass over the parameters. The references are the
// functions of the same names in nnfs_xp/optimizers/.
//
// What changes from step to step is read from the device, so that a captured graph
// follows it. Constants come as doubles: 1 - beta must be taken before it is rounded.

extern "C" __global__ void sgd(int64 n, REAL* w, const REAL* dw,
                               const REAL* learning_rate) {
  REAL rate = *learning_rate;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) w[i] -= rate * dw[i];
}

extern "C" __global__ void sgd_momentum(int64 n, REAL* w, const REAL* dw, REAL* v,
                                        const REAL* learning_rate, double momentum,
                                        bool nesterov) {
  REAL rate = *learning_rate, kept = (REAL)momentum;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    momentum_step(rate, kept, nesterov, w[i], dw[i], v[i]);
  }
}

extern "C" __global__ void adagrad(int64 n, REAL* w, const REAL* dw, REAL* s,
                                   const REAL* learning_rate, double epsilon) {
  REAL rate = *learning_rate;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL sum = s[i] + dw[i] * dw[i];
    s[i] = sum;
    w[i] -= rate * dw[i] / (sqrt(sum) + (REAL)epsilon);
  }
}

extern "C" __global__ void rmsprop(int64 n, REAL* w, const REAL* dw, REAL* s,
                                   const REAL* learning_rate, double rho,
                                   double epsilon) {
  REAL rate = *learning_rate, kept = (REAL)rho, added = (REAL)(1.0 - rho);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL mean = kept * s[i] + added * (dw[i] * dw[i]);
    s[i] = mean;
    w[i] -= rate * dw[i] / (sqrt(mean) + (REAL)epsilon);
  }
}

extern "C" __global__ void adam(int64 n, REAL* w, const REAL* dw, REAL* m, REAL* v,
                                const int* step, const REAL* learning_rate,
                                double beta_1, double log_beta_1, double beta_2,
                                double log_beta_2, double epsilon) {
  AdamStep now = adam_step(*step, *learning_rate, beta_1, log_beta_1, beta_2,
                           log_beta_2, epsilon);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    w[i] -= adam_move(now, dw[i], m[i], v[i]);
  }
}

extern "C" __global__ void adamw(int64 n, REAL* w, const REAL* dw, REAL* m, REAL* v,
                                 const int* step, const REAL* learning_rate,
                                 double beta_1, double log_beta_1, double beta_2,
                                 double log_beta_2, double epsilon,
                                 double weight_decay) {
  AdamStep now = adam_step(*step, *learning_rate, beta_1, log_beta_1, beta_2,
                           log_beta_2, epsilon);
  REAL fraction = (REAL)(*learning_rate * weight_decay);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL decayed = w[i] - fraction * w[i];
    w[i] = decayed - adam_move(now, dw[i], m[i], v[i]);
  }
}

extern "C" __global__ void amsgrad(int64 n, REAL* w, const REAL* dw, REAL* m, REAL* v,
                                   REAL* largest, const int* step,
                                   const REAL* learning_rate, double beta_1,
                                   double log_beta_1, double beta_2, double log_beta_2,
                                   double epsilon) {
  AdamStep now = adam_step(*step, *learning_rate, beta_1, log_beta_1, beta_2,
                           log_beta_2, epsilon);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    adam_move(now, dw[i], m[i], v[i]);
    largest[i] = larger(largest[i], v[i]);
    w[i] -= now.rate * m[i] / (sqrt(largest[i]) * now.inverse_root + now.epsilon);
  }
}

// `fading` is the logarithm by which a half of the momentum fades from step to step,
// and `product` that of all momenta up to this step.
extern "C" __global__ void nadam(int64 n, REAL* w, const REAL* dw, REAL* m, REAL* v,
                                 const int* step, const REAL* product,
                                 const REAL* learning_rate, double beta_1,
                                 double log_beta_1, double beta_2, double log_beta_2,
                                 double epsilon, double fading) {
  AdamStep now = adam_step(*step, *learning_rate, beta_1, log_beta_1, beta_2,
                           log_beta_2, epsilon);
  __shared__ double momenta[2];
  if (threadIdx.x < 2) {
    momenta[threadIdx.x] =
        beta_1 * (1.0 - 0.5 * exp((double)(*step + (int)threadIdx.x) * fading));
  }
  __syncthreads();
  double rate = *learning_rate, before = *product;
  REAL of_m = (REAL)(rate * momenta[1] / (1.0 - before * momenta[1]));
  REAL of_dw = (REAL)(rate * (1.0 - momenta[0]) / (1.0 - before));
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    adam_move(now, dw[i], m[i], v[i]);
    w[i] -= (of_m * m[i] + of_dw * dw[i]) /
            (sqrt(v[i]) * now.inverse_root + now.epsilon);
  }
}

// By one thread.
extern "C" __global__ void nadam_product(REAL* product, const int* step, double beta_1,
                                         double fading) {
  if (first_of_thread() == 0) {
    *product = (REAL)(*product * beta_1 * (1.0 - 0.5 * exp(*step * fading)));
  }
}

extern "C" __global__ void adamax(int64 n, REAL* w, const REAL* dw, REAL* m, REAL* u,
                                  const int* step, const REAL* learning_rate,
                                  double beta_1, double log_beta_1, double beta_2,
                                  double epsilon) {
  __shared__ double correction;
  if (threadIdx.x == 0) correction = -expm1(*step * log_beta_1);
  __syncthreads();
  REAL rate = (REAL)(*learning_rate / correction);
  REAL kept = (REAL)beta_1, added = (REAL)(1.0 - beta_1);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL mean = kept * m[i] + added * dw[i];
    REAL largest = larger((REAL)beta_2 * u[i], fabs(dw[i]) + (REAL)epsilon);
    m[i] = mean;
    u[i] = largest;
    w[i] -= rate * mean / largest;
  }
}

extern "C" __global__ void adadelta(int64 n, REAL* w, const REAL* dw, REAL* s, REAL* d,
                                    const REAL* learning_rate, double rho,
                                    double epsilon) {
  REAL rate = *learning_rate, kept = (REAL)rho, added = (REAL)(1.0 - rho);
  REAL offset = (REAL)epsilon;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL mean = kept * s[i] + added * (dw[i] * dw[i]);
    REAL move = dw[i] * sqrt((d[i] + offset) / (mean + offset));
    s[i] = mean;
    d[i] = kept * d[i] + added * (move * move);
    w[i] -= rate * move;
  }
}

extern "C" __global__ void lion(int64 n, REAL* w, const REAL* dw, REAL* m,
                                const REAL* learning_rate, double beta_1,
                                double beta_2) {
  REAL rate = *learning_rate;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL ahead = (REAL)beta_1 * m[i] + (REAL)(1.0 - beta_1) * dw[i];
    // Neither is true of NaN, which stays.
    REAL way = ahead > 0 ? (REAL)1 : ahead < 0 ? (REAL)-1 : ahead;
    m[i] = (REAL)beta_2 * m[i] + (REAL)(1.0 - beta_2) * dw[i];
    w[i] -= rate * way;
  }
}

extern "C" __global__ void centered_rmsprop(int64 n, REAL* w, const REAL* dw, REAL* s,
                                            REAL* mean, const REAL* learning_rate,
                                            double rho, double epsilon) {
  REAL rate = *learning_rate, kept = (REAL)rho, added = (REAL)(1.0 - rho);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL of_squares = kept * s[i] + added * (dw[i] * dw[i]);
    REAL of_gradients = kept * mean[i] + added * dw[i];
    REAL variance = larger(of_squares - of_gradients * of_gradients, (REAL)0);
    s[i] = of_squares;
    mean[i] = of_gradients;
    w[i] -= rate * dw[i] / (sqrt(variance) + (REAL)epsilon);
  }
}
