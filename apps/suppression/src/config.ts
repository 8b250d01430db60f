import { kafkaConfig } from '@lethe/kafka';
import { defineConfig } from '@lethe/service';

export const config = defineConfig({ ...kafkaConfig });
