import { parentPort, workerData } from 'node:worker_threads';
import { serve } from './serve.ts';

/** The program of a worker thread. */
if (parentPort) serve(parentPort, workerData);
