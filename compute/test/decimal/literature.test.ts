import { test } from 'vitest';
import {
  checkConversionBounds,
  checkPrimes,
  checkTextBounds,
  checkTransformBounds,
} from '../../literature/check-constants.ts';
import {
  checkDigitReciprocals,
  checkKernelConstants,
  checkLanes,
  checkPlaneBounds,
  checkReach,
  checkSums,
} from '../../literature/check-kernels.ts';

test('the primes, their roots and the moduli are what the literature says', () => checkPrimes());
test('no sum of a transform or a leaf leaves its word', () => checkTransformBounds());
test('no column of the radix conversion leaves its double or its word', () => checkConversionBounds());
test('the reciprocals of the digits are exact where they are used', () => checkTextBounds());
test('every kernel has the radix and the moduli of the host', () => checkKernelConstants());
test('the lanes are the four roots of x^4 + 1', () => checkLanes());
test('the planes fit their heaps', () => checkPlaneBounds());
test('no sum of the schoolbook, of long primes or of the interpolation leaves its word', () => checkSums());
test('the primes reach as far as products are made, from generators of theirs', () => checkReach());
test('the reciprocals that make digits of four limbs are exact', () => checkDigitReciprocals());
