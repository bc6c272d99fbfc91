// Math's words without its name: short where they are used most.

const { abs, ceil, floor, max, min, round, log10 } = Math;

export { abs, ceil, floor, max, min, round, log10 };
