import dns from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressBook } from './instance-health-source.ts';
import type { Listeners } from './listeners.ts';
import type { WatchedAddress } from './watch-address.ts';

/** Those that requests go to: while every address is unhealthy, a try is better than none. */
function usable(known: Iterable<WatchedAddress>): readonly string[] {
  const all = [...known];
  const up = all.filter(({ state }) => state !== 'unhealthy');
  return (up.length === 0 ? all : up).map(({ address }) => address);
}

/**
 * Where the sockets of an instance may lead.
 *
 * @param known as they are now; while there are none, the system is asked
 */
export function makeAddressBook(
  known: ReadonlyMap<string, WatchedAddress>,
  downs: Listeners<string>,
): AddressBook {
  let turn = 0;

  const lookup: LookupFunction = (hostname, options, callback) => {
    const addresses = usable(known.values());
    const [first] = addresses;
    if (first === undefined) {
      dns.lookup(hostname, options, callback);
      return;
    }
    turn = (turn + 1) % addresses.length;
    const inTurn = [...addresses.slice(turn), ...addresses.slice(0, turn)];
    // Node's own lookup never calls back at once, and its callers rely on it.
    process.nextTick(() => {
      if (options.all)
        callback(
          null,
          inTurn.map((address) => ({ address, family: isIP(address) })),
        );
      else callback(null, inTurn[0] ?? first, isIP(inTurn[0] ?? first));
    });
  };

  return {
    lookup,
    isUsable(address) {
      const watched = address === undefined ? undefined : known.get(address);
      // One that the name has meanwhile lost still works for those who are connected.
      return watched?.state !== 'unhealthy' || usable(known.values()).includes(watched.address);
    },
    onDown: downs.add,
  };
}
