// Loaded before a worker by the tests: its wall clock is off by CLOCK_OFFSET_HOURS. Nothing of the product knows of this file.
const offsetMs = Number(process.env.CLOCK_OFFSET_HOURS ?? '0') * 3_600_000;
const RealDate = Date;

class OffsetDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + offsetMs;
  }
}

globalThis.Date = OffsetDate;
