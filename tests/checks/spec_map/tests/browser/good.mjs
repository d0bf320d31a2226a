// SPDX-License-Identifier: MIT
async function goodWorks(page) {}
function goodToo(page) {}
function goodSleeps(page) {}
await check('it works', goodWorks);
await check('it works too', () => goodToo(page));
