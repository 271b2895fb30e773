export { createApi } from './create-api.ts';
export type { ApiDependencies } from './dependencies.ts';
export { type ApiOptions, type ApiOptionsInput, resolveApiOptions } from './options.ts';
export { type ProblemCode, problemCatalogue } from './problems/catalogue.ts';
