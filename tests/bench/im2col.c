/* What other courses ship as their compiled convolution: im2col and col2im, one thread, for NCHW float32.
   The columns are (C * KH * KW, N * OH * OW), so that one matrix product serves all n images. */
#include <string.h>

typedef struct {
    int n, channels, height, width, kernel_rows, kernel_cols, out_rows, out_cols, stride, padding;
} Sizes;

/* The output columns j whose pixel j * stride + shift lies inside a row: first and one past the last. */
static void inside(int shift, int stride, int width, int count, int *first, int *end) {
    *first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    *end = shift >= width ? 0 : (width - 1 - shift) / stride + 1;
    if (*first > count) *first = count;
    if (*end > count) *end = count;
    if (*end < *first) *end = *first;
}

void im2col(const float *image, float *columns, const Sizes *s) {
    long plane = (long)s->height * s->width, places = (long)s->n * s->out_rows * s->out_cols;
    for (int c = 0; c < s->channels; c++)
        for (int p = 0; p < s->kernel_rows; p++)
            for (int q = 0; q < s->kernel_cols; q++, columns += places) {
                int first, end, shift = q - s->padding;
                inside(shift, s->stride, s->width, s->out_cols, &first, &end);
                float *to = columns;
                for (int n = 0; n < s->n; n++)
                    for (int i = 0; i < s->out_rows; i++, to += s->out_cols) {
                        int row = i * s->stride + p - s->padding;
                        if (row < 0 || row >= s->height) {
                            memset(to, 0, s->out_cols * sizeof(float));
                            continue;
                        }
                        const float *from = image + (n * (long)s->channels + c) * plane + (long)row * s->width + shift;
                        for (int j = 0; j < first; j++) to[j] = 0;
                        if (s->stride == 1)
                            memcpy(to + first, from + first, (end - first) * sizeof(float));
                        else
                            for (int j = first; j < end; j++) to[j] = from[(long)j * s->stride];
                        for (int j = end; j < s->out_cols; j++) to[j] = 0;
                    }
            }
}

/* The adjoint: add every column entry to the pixel it was copied from. The image must be zero at first. */
void col2im(const float *columns, float *image, const Sizes *s) {
    long plane = (long)s->height * s->width, places = (long)s->n * s->out_rows * s->out_cols;
    for (int c = 0; c < s->channels; c++)
        for (int p = 0; p < s->kernel_rows; p++)
            for (int q = 0; q < s->kernel_cols; q++, columns += places) {
                int first, end, shift = q - s->padding;
                inside(shift, s->stride, s->width, s->out_cols, &first, &end);
                const float *from = columns;
                for (int n = 0; n < s->n; n++)
                    for (int i = 0; i < s->out_rows; i++, from += s->out_cols) {
                        int row = i * s->stride + p - s->padding;
                        if (row < 0 || row >= s->height) continue;
                        float *to = image + (n * (long)s->channels + c) * plane + (long)row * s->width + shift;
                        if (s->stride == 1)
                            for (int j = first; j < end; j++) to[j] += from[j];
                        else
                            for (int j = first; j < end; j++) to[(long)j * s->stride] += from[j];
                    }
            }
}
