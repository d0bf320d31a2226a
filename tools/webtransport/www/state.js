/* SPDX-License-Identifier: MIT
 *
 * What the parts of the page share.
 */
export const state = {
  info: null,     // what /info.json says; null when this page was served by something else
  session: null,  // the session of the connection card, from the attempt to its end
  ended: null,    // the one whose end is shown
};
