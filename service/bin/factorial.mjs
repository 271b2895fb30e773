#!/usr/bin/env node
// Linked as node_modules/.bin/factorial, so that `npx factorial` never falls through to an unrelated package of that name.
import '../../bin/factorial.mjs';
