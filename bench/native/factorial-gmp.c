/* n! by GMP to standard output: mpz_fac_ui, then the conversion to decimal. The peer that everyone can run. */
#include <gmp.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  mpz_t value;
  mpz_init(value);
  mpz_fac_ui(value, strtoul(argv[1], NULL, 10));
  FILE *out = fopen(argv[2], "w");
  if (out == NULL) return 1;
  mpz_out_str(out, 10, value);
  return fclose(out) == 0 ? 0 : 1;
}
