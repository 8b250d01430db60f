import { SetMetadata } from '@nestjs/common';

export const PUBLIC = 'lethe.public';

/** A route or controller that answers without an identity. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(PUBLIC, true);
