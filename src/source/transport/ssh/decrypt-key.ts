/** A thread that opens one OpenSSH key with its passphrase, answers with the key in PEM, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import ssh2 from 'ssh2';

const { privateKey, passphrase } = workerData as { readonly privateKey: string; readonly passphrase: string };
const key = ssh2.utils.parseKey(privateKey, passphrase);
parentPort?.postMessage(key instanceof Error ? undefined : key.getPrivatePEM());
