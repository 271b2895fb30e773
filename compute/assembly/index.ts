export { fillTwiddles } from './twiddles';
export { forwardLevel, forwardNtt } from './forward';
export { inverseLevel, inverseNtt } from './inverse';
export { multiplyPointwise } from './pointwise';
export { mergeLanes, splitLanes } from './lanes';
export { addLimbs, combineResidues, flushCarry } from './combine';
export { multiplySchoolbook, multiplyWords } from './schoolbook';
export { appendLimbResidues, fillResidueTable, multiplyPowerResidues, multiplyResidues } from './residues';
export { limbsToText, textToLimbs } from './text';
