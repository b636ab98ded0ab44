import { lookup } from 'node:dns/promises';

/** Where the addresses of host names come from. */
export interface NameSource {
  /** Looks up every address of a host name. Rejects when it has none. */
  resolve(hostname: string): Promise<readonly string[]>;
  /** How old addresses may become, in milliseconds. */
  readonly everyMs: number;
}

/** As Node does it for requests. Each lookup takes one of the four threads that a whole process has for them. */
export const systemNames: NameSource = {
  async resolve(hostname) {
    const found = await lookup(hostname, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  },
  everyMs: 5000,
};

/** What is done with a host name's lookups. */
export interface NameListener {
  onAddresses(addresses: readonly string[]): void;
  onFailure(error: unknown): void;
  /** How long to wait until the next lookup. */
  lookAgainMs(): number;
}

/** Looks a host name up at once, and again and again until it is stopped, one lookup at a time. */
export function watchName(hostname: string, names: NameSource, listener: NameListener): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  async function look(): Promise<void> {
    let addresses: readonly string[] = [];
    let failure: unknown;
    try {
      addresses = await names.resolve(hostname);
    } catch (error) {
      failure = error;
    }
    if (isStopped) return;
    if (addresses.length > 0) listener.onAddresses(addresses);
    else listener.onFailure(failure);
    timer = setTimeout(() => void look(), listener.lookAgainMs()).unref();
  }

  void look();
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
