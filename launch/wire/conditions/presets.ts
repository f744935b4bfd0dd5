/**
 * Networks by name.
 *
 * Delays are one way: an answer takes twice as much. The round trips are those
 * that people measure: a few ms at home, about 50 ms on 4G, 600 to 700 ms by a
 * geostationary satellite (its light path alone is 480 ms).
 *
 * @module
 */

/** What each preset stands for. What does not fit a link's transport is left out. */
export const PRESETS: Readonly<Record<string, string>> = {
  wifi: "delay=3ms jitter=2ms loss=0.5% rate=5MB/s",
  mobile: "delay=25ms jitter=10ms loss=1% rate=1MB/s",
  satellite: "delay=340ms jitter=10ms loss=1% rate=2MB/s",
  terrible: "delay=250ms jitter=200ms loss=20% duplicate=5% reorder=10%",
  "slow-motion": "delay=1s",
};
