import { adapterOf, builtInRoot, readApiBase } from './api-base.ts';
import { bareRecord } from './bare-record.ts';
import type {
  DefaultedProviderKeyConfig,
  DefaultedProviderKeyRequest,
} from './generated/provider-key-defaulted.ts';
import type { LoadedProviderKey, LoadedRequestOverrides } from './loaded-model-router.ts';

function lowerCase(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

function completeRequest(request: DefaultedProviderKeyRequest): LoadedRequestOverrides {
  const { temperature_min, temperature_max } = request.param_constraints ?? {};
  const headers = Object.entries(request.default_headers ?? {});
  return {
    paramRenames: bareRecord(request.param_renames),
    ...(temperature_min !== undefined && { temperatureMin: temperature_min }),
    ...(temperature_max !== undefined && { temperatureMax: temperature_max }),
    defaultHeaders: bareRecord(
      Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    ),
    forwardClientHeaders: lowerCase(request.forward_client_headers ?? []),
    defaultBodyFields: { ...request.default_body_fields },
  };
}

function completeAddress(
  { api_base = '' }: DefaultedProviderKeyConfig,
  vendor: string,
  adapter: LoadedProviderKey['adapter'],
): Pick<LoadedProviderKey, 'apiBase' | 'query'> {
  const written = readApiBase(api_base, adapter);
  if (written !== undefined) return { apiBase: written.root, ...(written.query && { query: written.query }) };
  const apiBase = builtInRoot(vendor, adapter);
  return apiBase === undefined ? {} : { apiBase };
}

/** The vendor that a provider key names, if it does. */
export function vendorOf({ provider = '' }: DefaultedProviderKeyConfig): string | undefined {
  return provider.trim().toLowerCase() || undefined;
}

/**
 * A validated provider key as the rest of the package sees it.
 *
 * @param vendor its own, or where it names none, that of the model it is for
 */
export function completeProviderKey(config: DefaultedProviderKeyConfig, vendor: string): LoadedProviderKey {
  const { adapter = adapterOf(vendor), tls, api_key: apiKey = config.secret } = config;
  return {
    id: String(config.id),
    displayName: config.display_name,
    adapter,
    ...(apiKey !== undefined && { apiKey }),
    ...completeAddress(config, vendor, adapter),
    verifyCertificate: tls?.verify ?? true,
    ...(tls?.ca_cert !== undefined && { caCertificate: tls.ca_cert }),
    request: completeRequest(config.request ?? {}),
    stripHeaders: lowerCase(config.strip_headers),
  };
}
